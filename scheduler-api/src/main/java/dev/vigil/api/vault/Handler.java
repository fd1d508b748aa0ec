package dev.vigil.api.vault;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// An operation that may run.
///
/// @param name           such as `backup.database`
/// @param isolation      one process for many executions, one for each, or inside the agent
/// @param inputSchema    JSON Schema of the payload, as text; null when any JSON will do
/// @param network        hosts it may reach; empty for none
/// @param timeoutMax     longest timeout that a task may ask for; null for the general one
/// @param secretsAllowed names of secrets it may read, or prefixes with a star at the end
/// @param workerGroups   groups of workers it may run on; empty for all
public record Handler(
        String name,
        Isolation isolation,
        @Nullable String inputSchema,
        List<String> network,
        @Nullable Duration timeoutMax,
        List<String> secretsAllowed,
        List<String> workerGroups) {
    public Handler {
        network = List.copyOf(network);
        secretsAllowed = List.copyOf(secretsAllowed);
        workerGroups = List.copyOf(workerGroups);
    }

    /// The handler that a name alone stands for.
    static Handler named(String name) {
        return new Handler(name, Isolation.POOLED, null, List.of(), null, List.of(), List.of());
    }

    /// Whether a worker of that group may run it.
    boolean allows(String group) {
        return workerGroups.isEmpty() || workerGroups.contains(group);
    }

    /// How executions are kept apart.
    public enum Isolation {
        POOLED,
        FRESH,
        INPROC;

        /// The name in JSON.
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}
