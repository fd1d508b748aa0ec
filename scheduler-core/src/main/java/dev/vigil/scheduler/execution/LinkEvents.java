package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.task.ShardHints.ShardHint;
import java.time.Duration;
import java.util.Collection;
import java.util.List;

/// What the link tells the engine. Called on the link's own thread: implementations hand over and return at once.
public interface LinkEvents {
    /// Whether this core still owns its shards by its own monotonic clock.
    boolean mayAct();

    /// A worker finished the handshake, and reports what it still runs.
    void joined(WorkerBoot worker, List<Link.Running> running);

    /// A worker took executions and started them.
    void started(WorkerBoot worker, List<Link.Running> executions);

    /// A worker declined executions without running them: no slot, unknown handler, stale heartbeat.
    void declined(WorkerBoot worker, List<Declined> executions);

    /// Attempts ended on a worker.
    void ended(WorkerBoot worker, List<AttemptEnd> ends);

    /// Running executions say how far they are and what they write. Told before the end of the same attempt.
    void said(WorkerBoot worker, List<Saying> sayings);

    /// Dispatches that never left this core.
    void undelivered(WorkerBoot worker, List<Dispatch> dispatches);

    /// A worker said goodbye and runs nothing more.
    void goodbye(WorkerBoot worker);

    /// Nothing was heard of a worker for three heartbeats, or its session was revoked. It may still run what it
    /// had.
    ///
    /// @param since how long ago it was heard last
    void silent(WorkerBoot worker, Duration since);

    /// Credits became free, or a worker became eligible.
    void capacityChanged();

    /// Which of a worker's running executions this core owns, for the answer to its heartbeat.
    Ownership ownership(WorkerBoot worker, List<Link.Running> running);

    /// Somebody says that these shards have commands or new executions waiting. A hint: it may be wrong or lost.
    void shardsHinted(Collection<ShardHint> hints);

    /// An execution that a worker declined, and why.
    ///
    /// @param running the execution and its fence
    /// @param code    short reason, such as `no_slot`
    record Declined(Link.Running running, String code) {}

    /// What this core can say of a worker's executions.
    ///
    /// @param databaseDown this core cannot reach the database, so it cannot ask; what it owned last runs on in its
    ///                     grace; not said any more when others may soon give away what was its own
    /// @param owned        those whose shard this core owns and whose fence is current, as far as it knows
    /// @param stale        those that this core knows to be someone else's by now: the worker stops them
    record Ownership(boolean databaseDown, List<Link.Running> owned, List<Link.Running> stale) {}
}
