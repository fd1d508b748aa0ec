package dev.vigil.protocol.audit;

import java.util.Locale;

/// The closed list of what the audit trail records.
public enum EventType {
    TASK_CREATED,
    TASK_UPDATED,
    TASK_DELETED,
    TASK_PAUSED,
    TASK_RESUMED,
    TASK_EXECUTION,
    TASK_CANCELLED,
    API_CALL,
    CONFIGURATION_CHANGED,
    WORKER_REGISTERED,
    WORKER_DEREGISTERED,
    WORKER_BLOCKED,
    AUTHENTICATION,
    AUTHORIZATION_FAILURE,
    SECRET_RESOLVED,
    TOKEN_RESOLVED,
    PAYLOAD_VIEWED,
    USER_DATA_EXPORTED,
    USER_DATA_DELETED,
    INCIDENT_LOCK,
    INCIDENT_LIFT,
    KEY_ROTATED,
    AUDIT_READ,
    /// Bytes that came as an event and are none; they are kept aside.
    AUDIT_UNREADABLE;

    private final String label = name().toLowerCase(Locale.ROOT);

    /// The name in JSON, such as `task_created`.
    public String label() {
        return label;
    }
}
