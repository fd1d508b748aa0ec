package dev.vigil.scheduler.worker;

import java.util.UUID;

/// The registry of workers as this core sees it. An interface because the registry belongs to the vault: module tests
/// have one of their own.
public interface Workers {
    /// Whether a worker may hold a session now.
    Admission admission(UUID worker);

    /// Whether a worker that has a session may be given executions of this namespace and handler. Memory only.
    boolean mayRun(UUID worker, int namespace, String handler);

    /// What the registry says about a worker that asks for a session.
    enum Admission {
        ADMITTED,
        /// Blocked, deleted, or never there.
        REFUSED,
        /// The registry cannot be read now.
        UNKNOWN
    }
}
