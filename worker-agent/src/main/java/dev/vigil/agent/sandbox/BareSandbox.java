package dev.vigil.agent.sandbox;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// No sandbox: another user id when the agent is root, limits, no new privileges, and that is all. The program sees
/// the machine's files and its network. For development on a machine without bubblewrap, and only when it is asked
/// for.
final class BareSandbox implements Sandbox, Starter.Wrapping {
    private static final String WAIT_AT_GATE = "read -r go <&" + Started.GATE_FD + "; exec " + Started.GATE_FD + "<&- "
            + Started.INFO_FD + "<&- " + Started.FILTER_FD + "<&-;" + " cd \"$1\" || exit 111; shift; exec \"$@\"";

    private final Starter starter;
    private final Path shell;
    private final String label;

    BareSandbox(Starter starter, Path shell, String label) {
        this.starter = starter;
        this.shell = shell;
        this.label = label;
    }

    @Override
    public String kind() {
        return "none";
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
        return false;
    }

    @Override
    public String taskSeenAs(String task) {
        return task;
    }

    @Override
    public List<String> wrap(SandboxOrder order, Path task, List<String> program) {
        var command = new ArrayList<String>();
        command.addAll(List.of(
                shell.toString(),
                "-c",
                WAIT_AT_GATE,
                "sh",
                order.folder().toString(),
                "/usr/bin/env",
                "-i",
                "-u",
                label));
        BubblewrapSandbox.ENVIRONMENT.forEach((name, value) -> command.add(name + "=" + value));
        command.addAll(program);
        return command;
    }
}
