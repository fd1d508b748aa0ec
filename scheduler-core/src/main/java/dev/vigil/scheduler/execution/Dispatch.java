package dev.vigil.scheduler.execution;

import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The durable assignment of an execution to a worker, as it goes over the link. It leaves only after its
/// dispatch row has committed.
///
/// @param execution      the execution, which is also its idempotency key
/// @param task           the task it belongs to
/// @param namespace      number of the namespace
/// @param payloadVersion version of payload and handler
/// @param keyId          the data key behind the payload
/// @param handler        the operation to run
/// @param fence          epoch x 2^32 + n, grows with each dispatch of this execution, below 2^53
/// @param attempt        1 for the first
/// @param timeout        how long the attempt may run
/// @param scheduledFor   the occurrence it stands for
/// @param payload        the sealed payload; null when it is above 16 KiB and fetched by the worker instead
public record Dispatch(
        UUID execution,
        UUID task,
        int namespace,
        int payloadVersion,
        UUID keyId,
        String handler,
        long fence,
        int attempt,
        Duration timeout,
        Instant scheduledFor,
        byte @Nullable [] payload) {}
