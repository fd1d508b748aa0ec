package dev.vigil.protocol.audit;

import java.util.Locale;

/// The closed list of what the audit trail records.
public enum EventType {
    TASK_CREATED("a task was stored"),
    TASK_UPDATED("a task was changed or triggered, or a failed execution of it is tried again"),
    TASK_DELETED("a task was deleted; action `erase` when its subject was erased"),
    TASK_PAUSED("a task was paused"),
    TASK_RESUMED("a paused task goes on"),
    TASK_EXECUTION(
            "an execution: `dispatch`, `start`, `execute` when it ended (with `duration_ms`), `dispatch_void` when what was dispatched never ran"),
    TASK_CANCELLED("an execution was cancelled"),
    API_CALL("a call was answered: who, which operation, which status; reads included"),
    CONFIGURATION_CHANGED("users, clients, keys, namespaces, handlers, secrets, tokens or invitations were changed"),
    WORKER_REGISTERED("a worker or service enrolled"),
    WORKER_DEREGISTERED("a worker was removed"),
    WORKER_BLOCKED("a worker was blocked or unblocked, or seen twice"),
    AUTHENTICATION("somebody signed in or out, a token was issued or revoked; failures included"),
    AUTHORIZATION_FAILURE("a known caller was refused, or a row that confers power has a broken seal"),
    SECRET_RESOLVED("keys or secrets of an execution were handed to the worker that holds it"),
    TOKEN_RESOLVED("the value behind a token was read"),
    PAYLOAD_VIEWED("a payload, result or log was opened for a person, or did not open"),
    USER_DATA_EXPORTED("an access request: asked for, opened, exported, downloaded; or a subject was looked up"),
    USER_DATA_DELETED("an erasure: asked for, approved, carried out, certified; `replay_erasure` after a restore"),
    INCIDENT_LOCK("an incident measure was taken"),
    INCIDENT_LIFT("an incident measure was lifted"),
    KEY_ROTATED("a key was made, wrapped anew or destroyed, a certificate renewed"),
    AUDIT_READ("somebody read the audit log"),
    AUDIT_UNREADABLE("bytes came as an event and are none; they are kept aside");

    private final String label = name().toLowerCase(Locale.ROOT);
    private final String meaning;

    /// @param meaning what it tells, for docs/reference/events.md
    EventType(String meaning) {
        this.meaning = meaning;
    }

    /// The name in JSON, such as `task_created`.
    public String label() {
        return label;
    }

    /// What it tells, for people.
    String meaning() {
        return meaning;
    }
}
