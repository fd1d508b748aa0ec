package dev.vigil.api.access;

import dev.vigil.api.web.Caller;

/// How much of his limits a caller uses. The engine counts; this package does not know it.
@FunctionalInterface
public interface Usage {
    Counts of(Caller caller);

    /// What is in use.
    ///
    /// @param tasks   neither finished nor deleted
    /// @param running executions at work
    record Counts(long tasks, long running) {}
}
