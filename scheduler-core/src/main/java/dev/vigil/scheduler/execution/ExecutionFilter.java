package dev.vigil.scheduler.execution;

import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Which executions a list holds. What is null is not asked.
///
/// @param namespace number of the namespace; null for all namespaces
/// @param owner     the owner of the task
/// @param taskId    the task
/// @param state     how far it is
/// @param handler   the operation
/// @param workerId  who runs or ran it
/// @param from      occurrences from then on
/// @param to        occurrences before then
public record ExecutionFilter(
        @Nullable Integer namespace,
        @Nullable UUID owner,
        @Nullable UUID taskId,
        ExecutionView.@Nullable State state,
        @Nullable String handler,
        @Nullable UUID workerId,
        @Nullable Instant from,
        @Nullable Instant to) {
    /// Every execution.
    public static final ExecutionFilter ALL = new ExecutionFilter(null, null, null, null, null, null, null, null);

    /// Those of one task.
    public static ExecutionFilter ofTask(UUID taskId) {
        return new ExecutionFilter(null, null, taskId, null, null, null, null, null);
    }
}
