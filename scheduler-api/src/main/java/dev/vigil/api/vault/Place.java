package dev.vigil.api.vault;

import dev.vigil.protocol.payload.Purpose;
import dev.vigil.protocol.payload.SealContext;
import java.util.UUID;

/// The task that sealed bytes belong to.
///
/// @param task      the task
/// @param namespace number of its namespace
/// @param version   version of payload and handler, from 1
/// @param handler   the handler that may read the payload
public record Place(UUID task, int namespace, int version, String handler) {
    /// Where the task's payload is sealed.
    public SealContext payload(UUID keyId) {
        return new SealContext(Purpose.PAYLOAD, namespace, task, version, handler, keyId);
    }

    /// Where the task's subject is sealed.
    public SealContext subject(UUID keyId) {
        return payload(keyId).withPurpose(Purpose.SUBJECT);
    }

    /// Where the result of one of its executions is sealed.
    public SealContext result(UUID execution, UUID keyId) {
        return new SealContext(Purpose.RESULT, namespace, execution, version, handler, keyId);
    }

    /// Where the error detail of one of its executions is sealed.
    public SealContext errorDetail(UUID execution, UUID keyId) {
        return result(execution, keyId).withPurpose(Purpose.ERROR_DETAIL);
    }
}
