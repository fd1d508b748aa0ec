package dev.vigil.scheduler.history;

import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// One thing that was seen in a run. All of one history bear the time of one clock that nothing disturbs, such as the
/// observer's; a run that disturbs the database's clock says so by [DatabaseClock].
///
/// A history need not hold every kind: what it does not tell of is not checked.
public sealed interface Event {
    /// When.
    Instant at();

    /// A create was answered with success. What was not answered may have happened or not.
    ///
    /// @param key the idempotency key; null when the client gave none
    record Acknowledged(Instant at, @Nullable String key, UUID task) implements Event {}

    /// A task that the database holds at the end of the run, finished or not.
    ///
    /// @param key the idempotency key it was created with; null when none
    record Found(Instant at, UUID task, @Nullable String key) implements Event {}

    /// An execution that the database holds at the end of the run and that is not over.
    record Left(Instant at, UUID task, UUID execution) implements Event {}

    /// The task must have started an execution of its own in this window: an occurrence that its misfire and overlap
    /// policies let run, or the one execution of a one_time task.
    ///
    /// @param at    when it is due, by the observer's clock
    /// @param until when it must have started at the latest
    record Expected(Instant at, UUID task, Instant until) implements Event {}

    /// From now on an execution lies in its queue, and may run when it is due: when it is stored, when it is let go by
    /// the one before, and when it is to be tried again.
    ///
    /// @param dueAt by the database's clock
    record Due(Instant at, UUID execution, Instant dueAt) implements Event {}

    /// A dispatch committed: the audit event `dispatch`, and not a row of the recovery log, which also lists again
    /// what runs on.
    ///
    /// @param owner whose limit it counts in; null when nobody's
    record Dispatched(
            Instant at,
            UUID task,
            UUID execution,
            long fence,
            int attempt,
            @Nullable String owner) implements Event {}

    /// A worker began to run an attempt, by what the attempt itself wrote.
    ///
    /// @param host where; the name that [Paused] uses
    record Started(Instant at, UUID execution, long fence, String host) implements Event {}

    /// It runs no more: it ended, or was killed, or its host died. Without one it ran to the end of the history.
    record Stopped(Instant at, UUID execution, long fence) implements Event {}

    /// The end of an attempt was committed as its worker told it.
    record Accepted(Instant at, UUID execution, long fence) implements Event {}

    /// The end of an attempt was refused, as stale.
    record Refused(Instant at, UUID execution, long fence) implements Event {}

    /// A failed attempt is to be followed by another one by the task's own retry policy.
    ///
    /// @param attempt   the one that failed, from 1
    /// @param notBefore when the next may run at the earliest, by the database's clock
    record Again(Instant at, UUID execution, int attempt, Instant notBefore) implements Event {}

    /// An execution is over.
    ///
    /// @param scheduledFor the occurrence it stands for
    /// @param state        as the API names it
    /// @param fence        of the attempt that ended it; null when none did
    /// @param attempts     it had, of `mostAttempts` allowed
    /// @param losses       workers that it cost
    record Ended(
            Instant at,
            UUID task,
            UUID execution,
            Instant scheduledFor,
            String state,
            @Nullable Long fence,
            int attempts,
            int mostAttempts,
            int losses)
            implements Event {}

    /// From now on an owner may have so many executions running.
    record Limit(Instant at, String owner, int most) implements Event {}

    /// A host stood still.
    record Paused(Instant at, String host, Instant until) implements Event {}

    /// Something was broken, so that nothing is promised about how soon things start.
    record Fault(Instant at, String what, Instant until) implements Event {}

    /// From now on the database's clock is ahead of the observer's by so much; behind when negative.
    record DatabaseClock(Instant at, Duration ahead) implements Event {}
}
