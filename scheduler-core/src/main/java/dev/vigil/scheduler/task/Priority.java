package dev.vigil.scheduler.task;

/// Which due executions go first.
public enum Priority {
    LOW,
    MEDIUM,
    HIGH,
    CRITICAL
}
