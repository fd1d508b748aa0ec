package dev.vigil.scheduler.task;

import java.util.UUID;

/// What became of a [NewTask].
public sealed interface CreateResult {
    /// It is stored and will run.
    record Created(TaskView task) implements CreateResult {}

    /// A task of this id was there before; nothing changed.
    record AlreadyExists(UUID id) implements CreateResult {}

    /// The owner has as many unfinished tasks as he may.
    record OverQuota(long used, int limit) implements CreateResult {}

    /// It asks for something impossible, or for something the engine does not do.
    ///
    /// @param pointer JSON pointer of the field, such as `/schedule/cron`
    /// @param code    lower case with underscores
    /// @param detail  what and why
    /// @param hint    what to do
    record Refused(String pointer, String code, String detail, String hint) implements CreateResult {}
}
