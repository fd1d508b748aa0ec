package dev.vigil.scheduler.task;

import org.jspecify.annotations.Nullable;

/// What the owner of a task may have.
///
/// @param maxTasks      tasks that are neither finished nor deleted; null means no limit
/// @param maxConcurrent executions of his tasks that are with workers at once; null means no limit
public record Limits(@Nullable Integer maxTasks, @Nullable Integer maxConcurrent) {
    /// No limit.
    public static final Limits NONE = new Limits(null, null);

    public Limits {
        if (maxConcurrent != null && maxConcurrent < 0) {
            throw new IllegalArgumentException("max_concurrent_executions is " + maxConcurrent + "; use 0 or more");
        }
    }
}
