package dev.vigil.scheduler.task;

/// What happens to occurrences that were missed while nothing could fire.
public enum Misfire {
    NONE,
    LATEST,
    ALL
}
