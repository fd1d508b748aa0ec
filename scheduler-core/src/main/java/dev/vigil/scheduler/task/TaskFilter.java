package dev.vigil.scheduler.task;

import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Which tasks a list holds. What is null is not asked.
///
/// @param namespace number of the namespace; null for all namespaces
/// @param owner     who created it
/// @param state     how far it is
/// @param type      `one_time`, `cron` or `interval`
/// @param handler   name of the handler
/// @param priority  its priority
/// @param name      its whole name
/// @param labels    labels that it has, all of them; empty asks for none
public record TaskFilter(
        @Nullable Integer namespace,
        @Nullable UUID owner,
        TaskView.@Nullable State state,
        @Nullable String type,
        @Nullable String handler,
        @Nullable Priority priority,
        @Nullable String name,
        Map<String, String> labels) {
    /// Every task.
    public static final TaskFilter ALL = new TaskFilter(null, null, null, null, null, null, null, Map.of());

    public TaskFilter {
        labels = Map.copyOf(labels);
    }

    /// All tasks of one owner in one namespace.
    public static TaskFilter of(int namespace, UUID owner) {
        return new TaskFilter(namespace, owner, null, null, null, null, null, Map.of());
    }
}
