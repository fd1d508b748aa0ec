package dev.vigil.agent.link;

import dev.vigil.protocol.payload.TaskKey;
import java.util.Map;
import java.util.UUID;

/// What the API hands out for one execution, or why not.
sealed interface Material {
    /// The execution it is about.
    UUID execution();

    /// The key of its task, and what its payload names. Does not print itself.
    record Granted(UUID execution, TaskKey key, Resolved resolved) implements Material {
        @Override
        public String toString() {
            return "Granted[" + execution + "]";
        }
    }

    /// What a payload names, resolved. Does not print itself.
    ///
    /// @param secrets   name to content
    /// @param tokens    token to the value that it stands for
    /// @param fieldKeys id of an encrypted field to its key
    record Resolved(Map<String, byte[]> secrets, Map<String, String> tokens, Map<UUID, TaskKey> fieldKeys) {
        static final Resolved NOTHING = new Resolved(Map.of(), Map.of(), Map.of());

        boolean isEmpty() {
            return secrets.isEmpty() && tokens.isEmpty() && fieldKeys.isEmpty();
        }

        @Override
        public String toString() {
            return "Resolved[hidden]";
        }
    }

    /// The API does not hand them out.
    ///
    /// @param code `not_yours`, `stale`, `closed`, `not_allowed`, `erased`, `reference_unresolved`, or [#LATER]
    record Refused(UUID execution, String code) implements Material {
        /// The answer was full; the next one has it.
        static final String LATER = "later";
    }
}
