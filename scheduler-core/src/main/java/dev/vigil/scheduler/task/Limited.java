package dev.vigil.scheduler.task;

import java.util.UUID;

/// Whose executions a limit is about.
///
/// @param kind      what it is
/// @param namespace of the owner or the limit; 0 for a handler, whose limit counts all namespaces
/// @param id        the owner; of a namespace or a handler an id that its limit was given
public record Limited(Kind kind, int namespace, UUID id) {
    /// What has limits.
    public enum Kind implements Coded {
        /// He who created the tasks, in one namespace.
        OWNER(1),
        /// All tasks of a namespace.
        NAMESPACE(2),
        /// All tasks of a handler, whatever their namespace.
        HANDLER(3);

        private final int code;

        Kind(int code) {
            this.code = code;
        }

        @Override
        public int code() {
            return code;
        }
    }

    /// The limit of an owner.
    public static Limited owner(int namespace, UUID owner) {
        return new Limited(Kind.OWNER, namespace, owner);
    }
}
