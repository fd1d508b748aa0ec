package dev.vigil.postgres;

/// The shell lines around the server's programs.
final class Scripts {
    /// Run after the kernel was asked to signal this process when its parent ends: a parent that was gone before that
    /// is not its parent any more. `$0` is the parent expected.
    static final String IF_PARENT_LIVES = """
            [ "$PPID" = "$0" ] || exit 70
            exec "$@"
            """;

    /// For machines without `setpriv`: the server runs beside a shell that waits for its input, a pipe of the parent,
    /// to end.
    static final String UNTIL_INPUT_ENDS = """
            exec 3<&0
            "$@" </dev/null 3<&- &
            server=$!
            (while read -r line; do :; done <&3; kill -QUIT "$server") >/dev/null 2>&1 &
            watch=$!
            exec 3<&-
            wait "$server"; status=$?
            kill "$watch" 2>/dev/null
            exit "$status"
            """;

    /// `$1` mount point, `$2` programs, `$3` cluster, `$4` uid, `$5` [#IF_PARENT_LIVES], `$6` parent, then the command.
    static final String IN_OWN_MOUNTS = """
            set -e
            mount -t tmpfs -o mode=0755,size=64k vigil "$1"
            mkdir "$1/server" "$1/cluster"
            mount --bind "$2" "$1/server"
            mount -o remount,bind,ro "$1/server"
            mount --bind "$3" "$1/cluster"
            echo "vigil-postgres:x:$4:$4::/nonexistent:/bin/false" >"$1/passwd"
            mount --bind "$1/passwd" /etc/passwd
            uid=$4
            shift 4
            cd /
            exec setpriv --reuid "$uid" --regid "$uid" --clear-groups --no-new-privs --pdeathsig QUIT /bin/sh -c "$@"
            """;

    private Scripts() {}
}
