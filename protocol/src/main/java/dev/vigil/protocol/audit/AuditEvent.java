package dev.vigil.protocol.audit;

import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.id.UuidV7;
import java.time.Instant;
import java.util.TreeMap;
import java.util.UUID;

/// One entry of the audit trail: who did what to what, when, and how it ended.
///
/// Its canonical bytes are the leaf of the audit tree, so they are made once, where the change is made, and never
/// rewritten. The known fields are ids and short labels; no payload, secret, or free text of a user belongs in them.
public final class AuditEvent {
    private final UUID id;
    private final TreeMap<String, Object> fields = new TreeMap<>();

    private AuditEvent(UUID id) {
        this.id = id;
    }

    /// An event that happened at `at`, on behalf of the [Origin] of this thread if there is one.
    public static AuditEvent of(EventType type, String action, Result result, Instant at) {
        AuditEvent event = new AuditEvent(UuidV7.next()).what(type, action, result, at);
        Origin.current().ifPresent(origin -> {
            event.fields.put("request_id", origin.requestId());
            event.fields.put("ip_address", origin.address());
        });
        return event;
    }

    /// The event that was packed: it has its id already and knows on whose behalf it was made.
    static AuditEvent of(PackedEvent packed, EventType type, String action, Result result) {
        return new AuditEvent(packed.id()).what(type, action, result, packed.at());
    }

    private AuditEvent what(EventType type, String action, Result result, Instant at) {
        fields.put("id", new Id(Kind.AUDIT_EVENT, id).toString());
        fields.put("timestamp", at.toString());
        fields.put("event_type", type.label());
        fields.put("action", action);
        fields.put("result", result.label());
        return this;
    }

    /// The event's id.
    public UUID id() {
        return id;
    }

    /// The person or service account that asked for it.
    public AuditEvent user(UUID user) {
        return with("user_id", new Id(Kind.USER, user).toString());
    }

    /// The task it is about.
    public AuditEvent task(UUID task) {
        return with("task_id", new Id(Kind.TASK, task).toString());
    }

    /// The execution it is about.
    public AuditEvent execution(UUID execution) {
        return with("execution_id", new Id(Kind.EXECUTION, execution).toString());
    }

    /// The worker it is about.
    public AuditEvent worker(UUID worker) {
        return with("worker_id", new Id(Kind.WORKER, worker).toString());
    }

    /// The namespace it happened in.
    public AuditEvent namespace(int namespace) {
        return with("namespace", (long) namespace);
    }

    /// The subject's blind index in hexadecimal, never the subject itself.
    public AuditEvent subject(String blindIndex) {
        return with("subject", blindIndex);
    }

    /// How long the recorded action took.
    public AuditEvent durationMillis(long millis) {
        return with("duration_ms", millis);
    }

    /// A further field: a lower-case name with underscores, and a label, an id or a whole number below 2^53.
    public AuditEvent with(String name, Object value) {
        if (!(value instanceof String) && !(value instanceof Long) && !(value instanceof Boolean)) {
            throw new IllegalArgumentException(
                    "audit field " + name + " is a " + value.getClass().getName() + "; use String, Long or Boolean");
        }
        fields.put(name, value);
        return this;
    }

    /// The event as canonical JSON (RFC 8785): sorted keys, no white space, UTF-8.
    public byte[] canonicalBytes() {
        return CanonicalJson.write(fields);
    }
}
