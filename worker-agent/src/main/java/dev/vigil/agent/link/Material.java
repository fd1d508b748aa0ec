package dev.vigil.agent.link;

import dev.vigil.protocol.payload.TaskKey;
import java.util.Map;
import java.util.UUID;

/// What the API hands out for one execution, or why not.
sealed interface Material {
    /// The execution it is about.
    UUID execution();

    /// The key of its task, and the secrets that it declared. Does not print itself.
    record Granted(UUID execution, TaskKey key, Map<String, byte[]> secrets) implements Material {
        @Override
        public String toString() {
            return "Granted[" + execution + "]";
        }
    }

    /// The API does not hand them out.
    ///
    /// @param code `not_yours`, `stale`, `closed` or `not_allowed`
    record Refused(UUID execution, String code) implements Material {}
}
