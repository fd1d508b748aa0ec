package dev.vigil.scheduler.task;

import org.jspecify.annotations.Nullable;

/// What the owner of a task may have.
///
/// @param maxTasks tasks that are neither finished nor deleted; null means no limit
public record Limits(@Nullable Integer maxTasks) {
    /// No limit.
    public static final Limits NONE = new Limits(null);
}
