package dev.vigil.scheduler.task;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.UUID;
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
/// @param misfireLimit how many missed occurrences `ALL` runs at most, the latest ones; 1 to 1000
/// @param overlap  what happens when the previous occurrence is still open
/// @param jitter   over how long the occurrences of a schedule are spread, each by its own hash; below the interval
/// @param labels   at most 32, stored in clear
/// @param after    executions that must have succeeded before it runs, at most 32; of one_time tasks only, whose id is
///                 also their execution's. It never changes
public record TaskDraft(
        String name,
        String handler,
        Schedule schedule,
        Priority priority,
        Duration timeout,
        RetryPolicy retry,
        Misfire misfire,
        int misfireLimit,
        Overlap overlap,
        Duration jitter,
        Map<String, String> labels,
        List<UUID> after) {
    /// Longest name, in characters.
    public static final int NAME_LENGTH_MAX = 200;

    /// The limit of a task that names none.
    public static final int MISFIRE_LIMIT = 100;

    /// Longest jitter.
    public static final Duration JITTER_MAX = Duration.ofDays(1);

    /// Most executions that a task comes after.
    public static final int AFTER_MAX = 32;

    private static final Duration TIMEOUT_MAX = Duration.ofHours(24);

    public TaskDraft {
        if (name.isBlank() || name.length() > NAME_LENGTH_MAX) {
            throw new IllegalArgumentException(
                    "name has " + name.length() + " characters; use 1 to " + NAME_LENGTH_MAX);
        }
        if (timeout.compareTo(Duration.ofSeconds(1)) < 0 || timeout.compareTo(TIMEOUT_MAX) > 0) {
            throw new IllegalArgumentException("timeout is " + timeout + "; use PT1S to " + TIMEOUT_MAX);
        }
        if (misfireLimit < 1 || misfireLimit > 1000) {
            throw new IllegalArgumentException("misfire_limit is " + misfireLimit + "; use 1 to 1000");
        }
        if (jitter.isNegative() || jitter.compareTo(JITTER_MAX) > 0) {
            throw new IllegalArgumentException("jitter is " + jitter + "; use PT0S to " + JITTER_MAX);
        }
        if (labels.size() > 32) {
            throw new IllegalArgumentException("there are " + labels.size() + " labels; use at most 32");
        }
        if (after.size() > AFTER_MAX) {
            throw new IllegalArgumentException("after names " + after.size() + " executions; use at most " + AFTER_MAX);
        }
        labels = Map.copyOf(labels);
        after = List.copyOf(after);
    }

    /// The same draft after other executions.
    public TaskDraft after(List<UUID> executions) {
        return new TaskDraft(
                name,
                handler,
                schedule,
                priority,
                timeout,
                retry,
                misfire,
                misfireLimit,
                overlap,
                jitter,
                labels,
                executions);
    }

    /// The same draft; an interval without an anchor counts from `now`.
    TaskDraft anchored(Instant now) {
        return schedule instanceof Schedule.Interval(Duration every, Instant anchor) && anchor == null
                ? new TaskDraft(
                        name,
                        handler,
                        new Schedule.Interval(every, now.truncatedTo(ChronoUnit.MILLIS)),
                        priority,
                        timeout,
                        retry,
                        misfire,
                        misfireLimit,
                        overlap,
                        jitter,
                        labels,
                        after)
                : this;
    }

    /// A sealed payload beside its draft.
    ///
    /// @param keyId        the data key behind it
    /// @param version      1 for a new task
    /// @param sealed       the record of [dev.vigil.protocol.payload.TaskKey]
    /// @param subjectIndex keyed blind index of the subject; null when the task names none
    /// @param subject      the sealed subject; null when the task names none
    /// @param references   what the payload names that only a worker resolves; never a value
    public record Sealed(
            UUID keyId,
            int version,
            byte[] sealed,
            byte @Nullable [] subjectIndex,
            byte @Nullable [] subject,
            List<String> references) {}
}
