package dev.vigil.scheduler.worker;

import dev.vigil.scheduler.execution.WorkerBoot;
import java.time.Instant;

/// A connected worker, for `GET /api/v1/workers`.
///
/// @param boot            the worker and its life
/// @param version         of its software
/// @param slots           executions at once
/// @param running         executions it holds
/// @param sandbox         what separates handlers from the host
/// @param limits          what limits them
/// @param lastHeartbeatAt when it was last heard
public record WorkerPresence(
        WorkerBoot boot,
        String version,
        int slots,
        int running,
        String sandbox,
        String limits,
        Instant lastHeartbeatAt) {}
