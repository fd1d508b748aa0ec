package dev.vigil.scheduler.task;

import java.time.Duration;

/// How often and how late a failed execution is tried again.
///
/// @param maxAttempts attempts in all, the first included; 1 means no retry
/// @param backoff     how the wait grows
/// @param initial     the wait before attempt 2
/// @param max         the ceiling of that wait
public record RetryPolicy(int maxAttempts, Backoff backoff, Duration initial, Duration max) {
    /// One attempt, no retry.
    public static final RetryPolicy NONE =
            new RetryPolicy(1, Backoff.EXPONENTIAL, Duration.ofSeconds(10), Duration.ofMinutes(10));

    public RetryPolicy {
        if (maxAttempts < 1 || maxAttempts > 100) {
            throw new IllegalArgumentException("retry.max_attempts is " + maxAttempts + "; use 1 (no retry) to 100");
        }
        if (initial.isNegative() || initial.compareTo(max) > 0 || max.compareTo(Duration.ofDays(1)) > 0) {
            throw new IllegalArgumentException("retry waits are " + initial + " to " + max
                    + "; use initial from PT0S, at most max, and max at most P1D");
        }
    }

    /// How the wait grows from attempt to attempt.
    public enum Backoff implements Coded {
        FIXED(0),
        EXPONENTIAL(1),
        /// By the first wait each time.
        LINEAR(2);

        private final int code;

        Backoff(int code) {
            this.code = code;
        }

        @Override
        public int code() {
            return code;
        }
    }
}
