package dev.vigil.agent.handler;

import dev.vigil.agent.sandbox.SandboxReport;
import java.io.IOException;
import java.util.List;

/// Runs executions on this machine: handlers, sandboxes, watchdog. An interface because the tests of the link run
/// against one of their own. Safe for use by several threads.
public interface Runner extends AutoCloseable {
    /// Reaps what a crashed agent left under this state folder, tests the sandbox from inside, starts the watchdog
    /// and one process of each pooled handler. A sandbox that does not hold is no exception: [#sandbox] then says
    /// `none` and every run is refused.
    ///
    /// @throws IOException when the state folder cannot be used, or another agent uses it
    /// @throws HandlerUnreadableException when a handler's folder is wrong; the message names file and field
    static Runner open(RunnerSettings settings) throws HandlerUnreadableException, IOException {
        return SandboxedRunner.open(settings, Programs.read(settings.handlerFolders()));
    }

    /// Starts an attempt and returns at once; a refusal is an outcome too. The listener hears nothing after the
    /// outcome.
    Attempt run(ExecutionRequest request, RunListener listener);

    /// The attempts that have no outcome yet, in no order.
    List<Attempt> running();

    /// Executions at once.
    int slots();

    /// What can run here. A handler that this worker cannot run is not in the list.
    List<Handler> handlers();

    SandboxReport sandbox();

    Ownership ownership();

    /// Refuses everything from now on; what runs goes on.
    void drain();

    /// Kills what still runs (outcome [Outcome.Abandoned]), ends the pools and the watchdog, and returns when no
    /// process and no cgroup of this runner is left.
    @Override
    void close();
}
