package dev.vigil.postgres;

import com.sun.security.auth.module.UnixSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Under which account and in which view of the file system the server's programs run.
///
/// PostgreSQL refuses to run as root. So root starts it under [#UID], a number that needs no entry in the machine's
/// account list, inside a mount namespace of its own: there the cluster and the programs appear at one mount point, so
/// that folders above them which only root may enter (mode 0700) are no obstacle, and a one-line account list names
/// that number for `initdb`, which insists on a name. Anybody else runs the programs as himself.
sealed interface ServerAccount {
    /// Owner of the cluster when root starts the server.
    int UID = 26_432;

    /// The cluster folder as the server's programs see it.
    Path clusterSeen();

    /// The command line that runs one of the server's programs so that it ends with this process.
    List<String> command(String program, List<String> arguments);

    /// Makes a file or folder the server's own.
    void own(Path path) throws IOException;

    /// The way that fits the user of this process.
    static ServerAccount choose(Path cluster, Path programs) throws IOException {
        boolean linux =
                System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("linux");
        boolean root = new UnixSystem().getUid() == 0;
        if (!linux || !root) {
            return new Self(cluster, programs, linux && found("setpriv") && found("setsid"));
        }
        for (String tool : List.of("setpriv", "unshare", "setsid", "mount")) {
            if (!found(tool)) {
                throw new PostgresStartException("PostgreSQL does not run as root, and `" + tool
                        + "` to start it under another account is missing; install it (apt-get install util-linux mount)"
                        + " or run as an ordinary user");
            }
        }
        return new Dropped(cluster.toRealPath(), programs.toRealPath());
    }

    private static boolean found(String tool) {
        String path = System.getenv("PATH");
        for (String dir : (path == null ? "/usr/bin:/bin" : path).split(":", -1)) {
            if (!dir.isEmpty() && Files.isExecutable(Path.of(dir, tool))) {
                return true;
            }
        }
        return false;
    }

    /// The user of this process.
    ///
    /// @param kernelTie whether the kernel is asked to end the server with this process; else a shell does
    ///                  it, which waits for the end of its standard input
    record Self(Path cluster, Path programs, boolean kernelTie) implements ServerAccount {
        @Override
        public Path clusterSeen() {
            return cluster;
        }

        @Override
        public List<String> command(String program, List<String> arguments) {
            var command = new ArrayList<String>();
            if (kernelTie) {
                command.addAll(
                        List.of("setsid", "setpriv", "--pdeathsig", "QUIT", "/bin/sh", "-c", Scripts.IF_PARENT_LIVES));
                command.add(Long.toString(ProcessHandle.current().pid()));
            } else {
                command.addAll(List.of("/bin/sh", "-c", Scripts.UNTIL_INPUT_ENDS, "sh"));
            }
            command.add(programs.resolve("bin").resolve(program).toString());
            command.addAll(arguments);
            return command;
        }

        @Override
        public void own(Path path) {}
    }

    /// Root, which drops to [#UID] in a mount namespace of its own.
    record Dropped(Path cluster, Path programs) implements ServerAccount {
        @Override
        public Path clusterSeen() {
            return mountPoint().resolve("cluster");
        }

        @Override
        public List<String> command(String program, List<String> arguments) {
            Path mount = mountPoint();
            var command =
                    new ArrayList<>(List.of("setsid", "unshare", "--mount", "/bin/sh", "-c", Scripts.IN_OWN_MOUNTS));
            command.add("sh");
            command.addAll(List.of(mount.toString(), programs.toString(), cluster.toString(), Integer.toString(UID)));
            command.addAll(List.of(
                    Scripts.IF_PARENT_LIVES,
                    Long.toString(ProcessHandle.current().pid())));
            command.add(mount.resolve("server/bin").resolve(program).toString());
            command.addAll(arguments);
            return command;
        }

        @Override
        public void own(Path path) throws IOException {
            Files.setAttribute(path, "unix:uid", UID);
            Files.setAttribute(path, "unix:gid", UID);
        }

        /// A folder every system has, that is hidden inside the namespace only and holds neither cluster nor programs.
        private Path mountPoint() {
            for (String candidate : List.of("/mnt", "/srv", "/media", "/opt")) {
                Path path = Path.of(candidate);
                if (Files.isDirectory(path) && !cluster.startsWith(path) && !programs.startsWith(path)) {
                    return path;
                }
            }
            throw new PostgresStartException("none of /mnt, /srv, /media, /opt can serve as a private mount point for "
                    + cluster + "; create /mnt or run as an ordinary user");
        }
    }
}
