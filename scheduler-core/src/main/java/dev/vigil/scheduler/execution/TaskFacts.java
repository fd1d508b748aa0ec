package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.task.RetryPolicy;
import java.time.Duration;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// What the engine needs of a task to run its executions.
///
/// @param namespace      number of the namespace
/// @param id             the task
/// @param version        of the task
/// @param owner          who created it
/// @param handler        the operation
/// @param keyId          the data key behind its payload
/// @param payloadVersion version of payload and handler
/// @param timeout        how long an attempt may run
/// @param retry          how often it is tried
/// @param limited        whether its owner may run only so many at once
/// @param once           whether it is a one_time task, which is finished when its execution ends
record TaskFacts(
        int namespace,
        UUID id,
        int version,
        UUID owner,
        String handler,
        UUID keyId,
        int payloadVersion,
        Duration timeout,
        RetryPolicy retry,
        boolean limited,
        boolean once) {

    /// What a worker needs to be eligible.
    WorkerNeed key() {
        return new WorkerNeed(namespace, handler, limited ? owner : null);
    }

    /// Whom a worker must be able to serve, and whose limit must leave room.
    ///
    /// @param limited the owner, if he has a limit: his executions queue apart, so that they keep nobody else's
    record WorkerNeed(
            int namespace, String handler, @Nullable UUID limited) {}
}
