package dev.vigil.agent.sandbox;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Bubblewrap with every namespace, an unprivileged user, no capabilities, our own system call filter and limits.
/// What each argument holds off is told in `docs/explanation/sandbox.md`; a test attacks each.
final class BubblewrapSandbox implements Sandbox, Starter.Wrapping {
    private static final String FOLDER = "/handler";
    private static final String USER_INSIDE = "65532";
    private static final long SHM_BYTES = 16L << 20;

    private final Starter starter;
    private final Path bubblewrap;
    private final String label;
    private final List<String> hostFolders;

    /// @param label       this agent's, found in the arguments of its sandboxes
    /// @param hostFolders arguments that show the programs of the host
    BubblewrapSandbox(Starter starter, Path bubblewrap, String label, List<String> hostFolders) {
        this.starter = starter;
        this.bubblewrap = bubblewrap;
        this.label = label;
        this.hostFolders = List.copyOf(hostFolders);
    }

    @Override
    public String kind() {
        return "bubblewrap";
    }

    @Override
    public String limits() {
        return starter.limits();
    }

    @Override
    public SandboxProcess start(SandboxOrder order) throws IOException {
        return starter.start(order, this);
    }

    @Override
    public boolean fronted() {
        return true;
    }

    @Override
    public String taskSeenAs(String task) {
        return TaskFolder.INSIDE;
    }

    @Override
    public List<String> wrap(SandboxOrder order, Path task, List<String> program) {
        var command = new ArrayList<String>();
        command.addAll(walls());
        // Says nothing to bwrap; the next start of this agent knows by it whose process this is.
        command.addAll(List.of("--unsetenv", label));
        command.addAll(environment());
        command.addAll(hostFolders);
        command.addAll(List.of("--proc", "/proc", "--dev", "/dev"));
        command.addAll(tmpfs("/tmp", order.limits().tmpBytes()));
        command.addAll(tmpfs("/dev/shm", SHM_BYTES));
        command.addAll(List.of("--remount-ro", "/dev"));
        command.addAll(List.of("--ro-bind", order.folder().toString(), FOLDER));
        command.addAll(List.of("--ro-bind", task.toString(), TaskFolder.INSIDE));
        for (Map.Entry<Path, String> extra : order.extra().entrySet()) {
            command.addAll(List.of("--ro-bind", extra.getKey().toString(), extra.getValue()));
        }
        command.addAll(List.of("--chdir", FOLDER, "--remount-ro", "/"));
        command.addAll(List.of("--info-fd", "" + Started.INFO_FD));
        command.addAll(List.of("--seccomp", "" + Started.FILTER_FD, "--block-fd", "" + Started.GATE_FD, "--"));
        command.addAll(program);
        return command;
    }

    private List<String> walls() {
        return List.of(
                bubblewrap.toString(),
                "--unshare-user",
                "--unshare-ipc",
                "--unshare-pid",
                "--unshare-net",
                "--unshare-uts",
                "--unshare-cgroup",
                "--disable-userns",
                "--uid",
                USER_INSIDE,
                "--gid",
                USER_INSIDE,
                "--hostname",
                "task",
                "--die-with-parent",
                "--new-session",
                "--cap-drop",
                "ALL");
    }

    private static List<String> environment() {
        var arguments = new ArrayList<>(List.of("--clearenv"));
        ENVIRONMENT.forEach((name, value) -> arguments.addAll(List.of("--setenv", name, value)));
        return arguments;
    }

    /// All that a handler finds in its environment, in every kind of sandbox.
    static final Map<String, String> ENVIRONMENT = Map.of(
            "PATH", "/usr/local/bin:/usr/bin:/bin",
            "HOME", "/tmp",
            "TMPDIR", "/tmp",
            "LANG", "C.UTF-8",
            "VIGIL_FD", "" + Started.CHANNEL_FD);

    private static List<String> tmpfs(String path, long bytes) {
        return List.of("--perms", "1777", "--size", "" + bytes, "--tmpfs", path);
    }
}
