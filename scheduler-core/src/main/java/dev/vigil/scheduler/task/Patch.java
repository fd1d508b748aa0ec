package dev.vigil.scheduler.task;

import org.jspecify.annotations.Nullable;

/// A change of a task: its next version. It holds for every dispatch after its answer; an execution that has been
/// dispatched before goes on as it was.
///
/// @param version the version that the change was made from
/// @param draft   the whole next version; the type of its schedule is that of the version before
/// @param payload sealed for the next payload version and the handler of `draft`; null leaves the payload as it is,
///                which a change of the handler cannot. The subject stays that of the version before.
/// @param events  `task_updated`, stored in the same transaction
public record Patch(int version, TaskDraft draft, TaskDraft.@Nullable Sealed payload, Events events) {}
