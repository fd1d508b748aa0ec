package dev.vigil.scheduler.execution;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// How one attempt ended, as the worker reports it.
///
/// @param running     the execution and its fence
/// @param outcome     what happened
/// @param duration    how long it ran, by the worker's monotonic clock
/// @param code        the handler's error code, at most 64 characters of `[a-z0-9_.-]`; null when it succeeded
/// @param retryable   whether another attempt may help
/// @param retryAfter  the handler's own wait before the next attempt; null when it names none
/// @param result      sealed result, or sealed error detail of a failure; null when there is none or it was
///                    uploaded
/// @param uploaded    the sealed result is above 16 KiB and lies with the API already
public record AttemptEnd(
        Link.Running running,
        Outcome outcome,
        Duration duration,
        @Nullable String code,
        boolean retryable,
        @Nullable Duration retryAfter,
        byte @Nullable [] result,
        boolean uploaded) {

    /// What happened to an attempt.
    public enum Outcome {
        SUCCEEDED,
        FAILED,
        TIMED_OUT,
        CANCELLED
    }
}
