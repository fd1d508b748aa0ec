package dev.vigil.agent.handler;

import java.util.Locale;

/// How long a process of a handler lives.
public enum Isolation {
    /// One process serves many executions, one at a time.
    POOLED,
    /// Each execution has a process and a sandbox of its own.
    FRESH;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
