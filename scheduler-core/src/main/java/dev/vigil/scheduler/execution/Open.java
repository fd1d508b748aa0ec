package dev.vigil.scheduler.execution;

import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// An execution that is dispatched and not over. What the link asks may be read by any thread; the rest belongs
/// to the loop that owns the shard.
final class Open {
    final Due due;
    final WorkerBoot worker;
    /// Number of the attempt, from 1.
    final int attempt;
    /// The newest dispatch row that names it.
    private volatile long fence;

    /// When the recovery log last listed it, monotonic.
    long listedAt;
    /// The line of the recovery log that lists it.
    long line;

    Phase phase;
    /// Since when it is in its phase, or the worker unheard, monotonic.
    long since;
    /// Until when an owner that vanished may vouch for it, monotonic; null when none did.
    @Nullable Long word;
    /// When the worker said it started; null until then.
    @Nullable Instant startedAt;
    /// The fence under which the worker holds it, which is older than [#fence] when an owner listed it again.
    long workerFence;
    /// Somebody asked for its end.
    boolean cancelled;
    /// A later execution of its task takes its place.
    boolean replaced;
    /// Its `start` event, until it is stored; null before and after.
    byte @Nullable [] startEvent;

    Open(Due due, WorkerBoot worker, long fence) {
        this.due = due;
        this.worker = worker;
        this.attempt = due.attempt() + 1;
        this.fence = fence;
        this.workerFence = fence;
        this.phase = Phase.COMMITTED;
    }

    UUID id() {
        return due.id();
    }

    long fence() {
        return fence;
    }

    /// An owner listed it again.
    void listedAgain(long newer) {
        fence = newer;
    }

    Link.Running running() {
        return new Link.Running(id(), workerFence);
    }

    /// Whether a worker that claims it under this fence is right.
    boolean isHeldBy(WorkerBoot other, long claimed) {
        return worker.equals(other) && claimed >= due.fenceMin() && claimed <= fence;
    }

    void enter(Phase next, long now) {
        phase = next;
        since = now;
    }

    /// How far it is.
    enum Phase {
        /// Its dispatch row is committed; the frame leaves at the due time.
        COMMITTED,
        /// It was handed to the link, or its worker reported it.
        SENT,
        /// An owner before this one dispatched it, and its worker has not answered for it yet.
        INHERITED,
        /// Its worker fell silent.
        UNHEARD,
        /// It is over, and the statement that says so is about to run.
        ENDING
    }
}
