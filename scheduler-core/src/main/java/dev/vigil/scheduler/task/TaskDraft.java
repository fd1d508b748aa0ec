package dev.vigil.scheduler.task;

import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a client asks for, payload and subject apart: those are sealed before the engine sees them.
///
/// @param name     for people; 1 to 200 characters, stored in clear
/// @param handler  the registered operation, such as `backup.database`
/// @param schedule when it runs
/// @param priority which of the due executions go first
/// @param timeout  how long one attempt may run; 1 s to 24 h
/// @param retry    how often a failed attempt is tried again
/// @param misfire  what happens to occurrences missed during an outage
/// @param overlap  what happens when the previous occurrence is still open
/// @param labels   at most 32, stored in clear
public record TaskDraft(
        String name,
        String handler,
        Schedule schedule,
        Priority priority,
        Duration timeout,
        RetryPolicy retry,
        Misfire misfire,
        Overlap overlap,
        Map<String, String> labels) {
    /// Longest name, in characters.
    public static final int NAME_LENGTH_MAX = 200;

    private static final Duration TIMEOUT_MAX = Duration.ofHours(24);

    public TaskDraft {
        if (name.isBlank() || name.length() > NAME_LENGTH_MAX) {
            throw new IllegalArgumentException(
                    "name has " + name.length() + " characters; use 1 to " + NAME_LENGTH_MAX);
        }
        if (timeout.compareTo(Duration.ofSeconds(1)) < 0 || timeout.compareTo(TIMEOUT_MAX) > 0) {
            throw new IllegalArgumentException("timeout is " + timeout + "; use PT1S to " + TIMEOUT_MAX);
        }
        if (labels.size() > 32) {
            throw new IllegalArgumentException("there are " + labels.size() + " labels; use at most 32");
        }
        labels = Map.copyOf(labels);
    }

    /// A sealed payload beside its draft.
    ///
    /// @param keyId        the data key behind it
    /// @param version      1 for a new task
    /// @param sealed       the record of [dev.vigil.protocol.payload.TaskKey]
    /// @param subjectIndex keyed blind index of the subject; null when the task names none
    /// @param subject      the sealed subject; null when the task names none
    public record Sealed(
            java.util.UUID keyId,
            int version,
            byte[] sealed,
            byte @Nullable [] subjectIndex,
            byte @Nullable [] subject) {}
}
