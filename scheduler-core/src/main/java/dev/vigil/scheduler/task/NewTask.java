package dev.vigil.scheduler.task;

import java.util.UUID;

/// A task to create. All that is decided about it has been decided.
///
/// @param id        a UUIDv7; the same id again is answered [CreateResult.AlreadyExists] and changes nothing
/// @param namespace number of the namespace
/// @param owner     the user who asks
/// @param draft     what is asked
/// @param payload   sealed for this id, namespace, handler and version 1
/// @param limits    what the owner may have
/// @param events    `task_created`, stored in the same transaction
public record NewTask(
        UUID id, int namespace, UUID owner, TaskDraft draft, TaskDraft.Sealed payload, Limits limits, Events events) {
    /// The same task, its draft completed.
    NewTask withDraft(TaskDraft other) {
        return new NewTask(id, namespace, owner, other, payload, limits, events);
    }
}
