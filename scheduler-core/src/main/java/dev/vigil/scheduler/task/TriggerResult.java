package dev.vigil.scheduler.task;

import java.util.UUID;

/// What became of the wish to run a task now.
public sealed interface TriggerResult {
    /// This execution stands for it. The task's overlap policy applies to it as to every other.
    record Triggered(UUID execution) implements TriggerResult {}

    /// There is no such task.
    record Absent() implements TriggerResult {}

    /// Its only execution has ended; that one may be retried.
    record Finished() implements TriggerResult {}

    /// A paused task runs nothing.
    record Paused() implements TriggerResult {}
}
