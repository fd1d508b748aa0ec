package dev.vigil.agent.sandbox;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicLong;

/// Starts sandboxes of every kind: user id, control groups, rlimits, folder of secrets, and a place in the
/// watchdog's book before the program runs.
final class Starter {
    /// Joins the control groups that are named before `--`, then becomes what stands after it. Nothing but this
    /// shell is alive at that moment, so nothing escapes the groups.
    private static final String JOIN =
            "while [ \"$1\" != -- ]; do echo $$ > \"$1\" || exit 111; shift; done; shift; exec \"$@\"";

    private final Parts parts;
    private final AtomicLong numbers = new AtomicLong();

    /// What a starter needs.
    ///
    /// @param users   present when the agent is root
    /// @param cgroups absent where there is no writable control group
    /// @param filter  the seccomp program
    record Parts(
            Launcher launcher,
            Tools tools,
            Optional<UserIds> users,
            Optional<Cgroups> cgroups,
            Path filter,
            Watchdog watchdog) {}

    /// How a kind of sandbox wraps a program.
    interface Wrapping {
        /// True when the started process only stands in front of the sandbox, and its child is pid 1 inside.
        boolean fronted();

        /// The path by which the program finds its task folder.
        String taskSeenAs(String task);

        /// The command that runs a program inside.
        ///
        /// @param task    the task folder on the host
        /// @param program what to run inside
        List<String> wrap(SandboxOrder order, Path task, List<String> program);
    }

    Starter(Parts parts) {
        this.parts = parts;
    }

    String limits() {
        return parts.cgroups().isPresent() ? "cgroup" : "rlimit";
    }

    SandboxProcess start(SandboxOrder order, Wrapping wrapping) throws IOException {
        String id = "s" + numbers.incrementAndGet();
        var held = new Held();
        try {
            OptionalInt user = takeUser(held);
            TaskFolder task = TaskFolder.create(parts.launcher(), id, wrapping::taskSeenAs, user);
            held.undo.add(task::remove);
            Optional<Cgroup> cgroup = createCgroup(id, order.limits(), held);
            var command = new ArrayList<String>();
            command.addAll(join(cgroup));
            command.addAll(rlimits(order.limits()));
            command.addAll(dropUser(user));
            command.addAll(wrapping.wrap(order, task.path(), program(order)));
            Started started = parts.launcher().call(() -> Started.start(parts.launcher(), command, parts.filter()));
            held.undo.add(() -> parts.watchdog().forget(id));
            var interior = new SandboxProcess.Interior(task, wrapping.fronted(), held::release);
            var process = new SandboxProcess(id, started, cgroup, interior);
            parts.watchdog().watch(process.watchdogEntry());
            return process;
        } catch (IOException e) {
            held.release();
            throw e;
        }
    }

    private OptionalInt takeUser(Held held) throws IOException {
        if (parts.users().isEmpty()) {
            return OptionalInt.empty();
        }
        UserIds users = parts.users().get();
        int user = users.take();
        held.undo.add(() -> users.release(user));
        return OptionalInt.of(user);
    }

    private Optional<Cgroup> createCgroup(String id, Limits limits, Held held) throws IOException {
        if (parts.cgroups().isEmpty()) {
            return Optional.empty();
        }
        Cgroup cgroup = parts.cgroups().get().create(id, limits);
        held.undo.add(cgroup::remove);
        return Optional.of(cgroup);
    }

    private List<String> join(Optional<Cgroup> cgroup) {
        var command = new ArrayList<>(List.of(parts.tools().shell().toString(), "-c", JOIN, "sh"));
        cgroup.ifPresent(group -> group.entrances().forEach(file -> command.add(file.toString())));
        command.add("--");
        return command;
    }

    private List<String> rlimits(Limits limits) {
        var command = new ArrayList<>(List.of(
                parts.tools().prlimit().toString(),
                "--core=0",
                "--nofile=" + limits.openFiles(),
                "--fsize=" + limits.fileBytes()));
        if (parts.cgroups().isEmpty()) {
            command.add("--as=" + limits.memoryBytes());
        }
        return command;
    }

    private List<String> dropUser(OptionalInt user) {
        var command = new ArrayList<>(List.of(parts.tools().setpriv().toString(), "--no-new-privs"));
        user.ifPresent(id -> command.addAll(List.of("--reuid", "" + id, "--regid", "" + id, "--clear-groups")));
        return command;
    }

    /// Without control groups the number of processes is limited per user namespace, so from inside of it.
    private List<String> program(SandboxOrder order) {
        if (parts.cgroups().isPresent()) {
            return order.command();
        }
        var command = new ArrayList<String>();
        command.add(parts.tools().prlimit().toString());
        command.add("--nproc=" + order.limits().pids());
        command.addAll(order.command());
        return command;
    }

    private interface Undo {
        void run() throws IOException;
    }

    /// What was taken for a sandbox, given back in reverse order.
    private static final class Held {
        private final List<Undo> undo = new ArrayList<>();

        void release() {
            for (Undo step : undo.reversed()) {
                try {
                    step.run();
                } catch (IOException | UncheckedIOException e) {
                    System.getLogger(Starter.class.getName())
                            .log(
                                    System.Logger.Level.WARNING,
                                    "event=sandbox_left_something it is reaped at the next start",
                                    e);
                }
            }
        }
    }
}
