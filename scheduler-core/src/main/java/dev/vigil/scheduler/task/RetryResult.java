package dev.vigil.scheduler.task;

/// What became of the wish to run an ended execution once more.
public sealed interface RetryResult {
    /// It is open again, with at least one more attempt.
    record Retried() implements RetryResult {}

    /// There is no such execution.
    record Absent() implements RetryResult {}

    /// It has not ended.
    record Open() implements RetryResult {}

    /// It succeeded or was skipped, so there is nothing to try again.
    record NotRetryable() implements RetryResult {}

    /// Its task has been deleted.
    record TaskGone() implements RetryResult {}

    /// A paused task runs nothing.
    record Paused() implements RetryResult {}

    /// The owner has as many unfinished tasks as he may.
    record OverQuota(long used, int limit) implements RetryResult {}
}
