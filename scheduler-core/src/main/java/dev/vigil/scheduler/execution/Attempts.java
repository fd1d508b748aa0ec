package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.AttemptEnd.Outcome;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.task.RetryPolicy;
import java.time.Duration;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// What follows when an attempt is over: the execution ends, or it is tried again.
final class Attempts {
    /// An execution that cost this many workers is not given to another one.
    static final int LOSSES_MAX = 3;

    /// Longest wait that a handler may ask for.
    static final Duration RETRY_AFTER_MAX = Duration.ofDays(1);

    private Attempts() {}

    /// What follows.
    sealed interface Next {
        /// It ends.
        record Ends(State state, @Nullable String code) implements Next {}

        /// It is tried again.
        ///
        /// @param delay    from now on; null: it keeps its place in the queue
        /// @param attempts attempts that this one used up
        /// @param losses   workers that it cost
        record Again(@Nullable Duration delay, int attempts, int losses) implements Next {}
    }

    /// A worker reported the end of an attempt.
    ///
    /// @param tries     this attempt and those before
    /// @param cancelled whether the end was asked for
    static Next ended(AttemptEnd end, Tries tries, boolean cancelled, RandomGenerator chance) {
        if (end.outcome() == Outcome.SUCCEEDED) {
            return new Next.Ends(State.SUCCEEDED, null);
        }
        if (cancelled) {
            return new Next.Ends(State.CANCELLED, end.code());
        }
        if (end.outcome() == Outcome.CANCELLED) {
            // Nobody asked for it: the worker gave it up, because it stops or lost touch with the owners.
            return lost(tries);
        }
        boolean again = end.retryable() || end.outcome() == Outcome.TIMED_OUT;
        if (!again || tries.attempt >= tries.policy.maxAttempts()) {
            return new Next.Ends(end.outcome() == Outcome.TIMED_OUT ? State.TIMED_OUT : State.FAILED, end.code());
        }
        return new Next.Again(delay(end.retryAfter(), tries, chance), 1, 0);
    }

    /// The worker that ran it is gone, with no fault of the execution, though it may be the cause.
    static Next lost(Tries tries) {
        return tries.losses + 1 >= LOSSES_MAX ? new Next.Ends(State.FAILED, "poison") : new Next.Again(null, 0, 1);
    }

    /// It never ran.
    static Next neverRan() {
        return new Next.Again(null, 0, 0);
    }

    /// Waits grow as the policy says, and by up to a tenth more, so that what failed together does not return
    /// together; a wait is never shorter than the policy's.
    private static Duration delay(@Nullable Duration asked, Tries tries, RandomGenerator chance) {
        if (asked != null) {
            return asked.compareTo(RETRY_AFTER_MAX) > 0 ? RETRY_AFTER_MAX : asked;
        }
        RetryPolicy policy = tries.policy;
        long initial = policy.initial().toMillis();
        long wait = switch (policy.backoff()) {
            case FIXED -> initial;
            case LINEAR -> initial * tries.attempt;
            case EXPONENTIAL -> initial << Math.min(tries.attempt - 1, 30);
        };
        long base = Math.min(policy.max().toMillis(), wait);
        return Duration.ofMillis(base + (base < 10 ? 0 : chance.nextLong(base / 10)));
    }

    /// How often it was tried.
    ///
    /// @param attempt number of the attempt that is over, from 1
    /// @param losses  workers that it cost before
    record Tries(int attempt, int losses, RetryPolicy policy) {}
}
