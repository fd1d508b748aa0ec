package dev.vigil.scheduler.task;

/// What became of a [Patch].
public sealed interface PatchResult {
    /// It is stored, and holds from now on.
    record Patched(TaskView task) implements PatchResult {}

    /// The task has another version by now.
    record Stale(int version) implements PatchResult {}

    /// There is no such task.
    record Absent() implements PatchResult {}

    /// The task will never run again.
    record Finished() implements PatchResult {}

    /// It asks for something impossible.
    ///
    /// @param pointer JSON pointer of the field, such as `/schedule/cron`
    /// @param code    lower case with underscores
    /// @param detail  what and why
    /// @param hint    what to do
    record Refused(String pointer, String code, String detail, String hint) implements PatchResult {}
}
