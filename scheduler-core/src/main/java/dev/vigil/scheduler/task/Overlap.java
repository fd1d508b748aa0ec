package dev.vigil.scheduler.task;

/// What happens to an occurrence while an earlier one of its task is still open.
public enum Overlap {
    ALLOW,
    SKIP,
    QUEUE,
    REPLACE
}
