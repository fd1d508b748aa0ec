package dev.vigil.scheduler.task;

import java.util.UUID;

/// Names a task.
///
/// @param namespace number of its namespace
/// @param id        its id
public record TaskRef(int namespace, UUID id) {}
