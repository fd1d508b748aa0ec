package dev.vigil.scheduler.execution;

import java.util.UUID;

/// One life of one worker: a restarted worker keeps its id and takes a new boot id.
public record WorkerBoot(UUID worker, UUID boot) {}
