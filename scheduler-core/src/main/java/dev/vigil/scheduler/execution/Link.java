package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.task.Coded;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/// What the engine asks of the worker link. The link is told about nothing that has not committed.
///
/// Every method may be called from any thread and returns at once.
public interface Link {
    /// Takes credits of one eligible worker: online, not draining or blocked, with the handler, allowed for the
    /// namespace.
    ///
    /// @param atMost how many executions wait
    /// @return empty when no such worker has a free credit
    Optional<Credits> take(int namespace, String handler, int atMost);

    /// Why [#take] found nobody.
    Lack lack(int namespace, String handler);

    /// Gives credits back that were taken and not used.
    void giveBack(Credits credits);

    /// Queues dispatches for one worker. Immediately before each frame is sealed the link asks
    /// [LinkEvents#mayAct()]; what could not be handed to the worker comes back as [LinkEvents#undelivered].
    void send(WorkerBoot worker, List<Dispatch> dispatches);

    /// Asks a worker to stop executions: grace, then the whole process tree.
    void cancel(WorkerBoot worker, List<Running> executions);

    /// Tells a worker what became of its results, so that it may forget them.
    void settle(WorkerBoot worker, List<Settled> results);

    /// Why there is no worker for an execution. The codes are stored.
    enum Lack implements Coded {
        /// None is connected that has the handler and may run it for the namespace.
        NO_WORKER(1),
        /// None of those has room.
        NO_CREDIT(2);

        private final int code;

        Lack(int code) {
            this.code = code;
        }

        @Override
        public int code() {
            return code;
        }
    }

    /// Credits taken from one worker.
    record Credits(WorkerBoot worker, int count) {}

    /// An execution and the fence under which a worker holds it.
    record Running(UUID execution, long fence) {}

    /// A result that is committed, or refused because its fence is stale.
    record Settled(UUID execution, long fence, boolean committed) {}
}
