package dev.vigil.scheduler.task;

/// What became of a command. Once it is answered [Accepted], no dispatch that ignores it can commit.
public sealed interface CommandResult {
    /// It is stored, and holds from now on; the shard's owner carries it out.
    record Accepted() implements CommandResult {}

    /// There is no such task or execution.
    record Absent() implements CommandResult {}

    /// It has ended, so there is nothing to do.
    record Finished() implements CommandResult {}
}
