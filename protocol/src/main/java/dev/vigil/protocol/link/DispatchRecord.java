package dev.vigil.protocol.link;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// One dispatch on the wire.
///
/// @param execution          the execution, which is also its idempotency key
/// @param task               the task it belongs to
/// @param namespace          number of the namespace
/// @param payloadVersion     version of payload and handler
/// @param keyId              the data key behind the payload
/// @param handler            the operation to run
/// @param fence              grows with each dispatch of this execution
/// @param attempt            1 for the first
/// @param timeoutMillis      how long the attempt may run
/// @param scheduledForMillis the occurrence it stands for, Unix milliseconds
/// @param payload            the sealed payload; null when the worker fetches it over HTTPS
public record DispatchRecord(
        UUID execution,
        UUID task,
        int namespace,
        int payloadVersion,
        UUID keyId,
        String handler,
        long fence,
        int attempt,
        long timeoutMillis,
        long scheduledForMillis,
        byte @Nullable [] payload) {

    @Override
    public String toString() {
        return "DispatchRecord[" + execution + " fence " + fence + "]";
    }
}
