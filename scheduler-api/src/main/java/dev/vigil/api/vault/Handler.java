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
/// @param secretsAllowed names of secrets it may read, or prefixes with a star at the end; empty for none
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

    /// The handler that a name alone stands for. The built-in one that tries secrets out may read all of them: it
    /// tells their length only.
    static Handler named(String name) {
        List<String> secrets = name.equals("demo.secret") ? List.of("*") : List.of();
        return new Handler(name, Isolation.POOLED, null, List.of(), null, secrets, List.of());
    }

    /// Whether a worker of that group may run it.
    boolean allows(String group) {
        return workerGroups.isEmpty() || workerGroups.contains(group);
    }

    /// Whether it may read a secret. Nothing is allowed that is not named.
    boolean allowsSecret(String secret) {
        return secretsAllowed.stream()
                .anyMatch(glob -> glob.endsWith("*")
                        ? secret.startsWith(glob.substring(0, glob.length() - 1))
                        : secret.equals(glob));
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
