package dev.vigil.protocol.audit;

import dev.vigil.protocol.id.UuidV7;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The audit event of a task that was created.
///
/// @param id      of the event
/// @param at      when it happened
/// @param made    what was created
/// @param call    the call that asked for it
/// @param subject blind index of the person in its data, in hexadecimal; null when it names none
public record CreateEvent(
        UUID id,
        Instant at,
        Made made,
        Origin call,
        @Nullable String subject) implements PackedEvent {
    /// What was done, as the audit trail has it.
    public static final String ACTION = "create";

    /// Its number among packed events, which never changes.
    static final byte FORM = 4;

    private static final int SUBJECT = 1;

    /// What was created.
    ///
    /// @param namespace number of the namespace
    /// @param user      who created it
    /// @param handler   the registered operation
    /// @param type      of its schedule, such as `one_time`
    public record Made(int namespace, UUID user, UUID task, String handler, String type) {}

    /// An event that happened at `at`.
    public static CreateEvent of(Instant at, Made made, Origin call) {
        return new CreateEvent(UuidV7.next(), at, made, call, null);
    }

    /// The same of a task that names a person in its data.
    ///
    /// @param blindIndex in hexadecimal
    public CreateEvent withSubject(String blindIndex) {
        return new CreateEvent(id, at, made, call, blindIndex);
    }

    /// Packs it, behind what [EventBatch] tells packed events by.
    ///
    /// @return empty when its texts are too long for that
    Optional<byte[]> packed(int mark) {
        byte[] handler = PackedParts.bytes(made.handler);
        byte[] type = PackedParts.bytes(made.type);
        byte[] address = PackedParts.bytes(call.address());
        byte[] request = PackedParts.bytes(call.requestId());
        byte[] person = PackedParts.bytes(subject);
        if (!PackedParts.fit(handler, type, address, request, person)) {
            return Optional.empty();
        }
        int length = 2
                + 3 * PackedParts.UUID_BYTES
                + Long.BYTES
                + Integer.BYTES
                + (2 + handler.length)
                + (2 + type.length)
                + (2 + address.length)
                + (2 + request.length)
                + (subject == null ? 0 : 2 + person.length);
        ByteBuffer out = ByteBuffer.allocate(Integer.BYTES + length)
                .putInt(mark | length)
                .put(FORM)
                .put((byte) (subject == null ? 0 : SUBJECT));
        PackedParts.put(out, id);
        PackedParts.put(out, at);
        out.putInt(made.namespace);
        PackedParts.put(out, made.user);
        PackedParts.put(out, made.task);
        PackedParts.put(out, handler);
        PackedParts.put(out, type);
        PackedParts.put(out, address);
        PackedParts.put(out, request);
        if (subject != null) {
            PackedParts.put(out, person);
        }
        return Optional.of(out.array());
    }

    /// Reads what [#packed] wrote, without mark and length.
    static CreateEvent unpacked(ByteBuffer in) {
        in.get();
        int flags = in.get();
        if ((flags & ~SUBJECT) != 0) {
            throw PackedParts.laterVersion();
        }
        UUID id = PackedParts.uuid(in);
        Instant at = PackedParts.instant(in);
        int namespace = in.getInt();
        UUID user = PackedParts.uuid(in);
        UUID task = PackedParts.uuid(in);
        var made = new Made(namespace, user, task, PackedParts.text(in), PackedParts.text(in));
        String address = PackedParts.text(in);
        var call = new Origin(PackedParts.text(in), address);
        String subject = (flags & SUBJECT) == 0 ? null : PackedParts.text(in);
        return new CreateEvent(id, at, made, call, subject);
    }

    @Override
    public AuditEvent auditEvent() {
        AuditEvent event = AuditEvent.of(this, EventType.TASK_CREATED, ACTION, Result.SUCCESS)
                .user(made.user)
                .namespace(made.namespace)
                .task(made.task)
                .with("handler", made.handler)
                .with("type", made.type)
                .with("ip_address", call.address())
                .with("request_id", call.requestId());
        return subject == null ? event : event.subject(subject);
    }
}
