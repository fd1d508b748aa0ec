package dev.vigil.protocol.audit;

import dev.vigil.protocol.id.UuidV7;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/// An audit event of an execution, of which there are three of each.
///
/// @param id             of the event
/// @param at             when it happened
/// @param action         what happened
/// @param result         how it went
/// @param subject        which execution it is
/// @param worker         who has it; null when nobody
/// @param fence          of the dispatch; null when it was not dispatched
/// @param state          what the execution is from now on; null where the action says so
/// @param code           why; null when there is nothing to say
/// @param durationMillis how long the attempt ran; null when it did not
public record ExecutionEvent(
        UUID id,
        Instant at,
        Action action,
        Result result,
        Subject subject,
        @Nullable UUID worker,
        @Nullable Long fence,
        @Nullable String state,
        @Nullable String code,
        @Nullable Long durationMillis)
        implements PackedEvent {
    private static final int WORKER = 1;
    private static final int FENCE = 2;
    private static final int STATE = 4;
    private static final int CODE = 8;
    private static final int DURATION = 16;
    private static final int ONCE = 32;

    /// What happened.
    public enum Action {
        DISPATCH(0, "dispatch"),
        START(1, "start"),
        DISPATCH_VOID(2, "dispatch_void"),
        EXECUTE(3, "execute");

        private final int code;
        private final String label;

        Action(int code, String label) {
            this.code = code;
            this.label = label;
        }

        /// As the audit trail has it.
        public String label() {
            return label;
        }

        /// Its number in a packed event, which never changes.
        int code() {
            return code;
        }
    }

    /// Which execution it is.
    ///
    /// @param namespace number of the namespace
    /// @param user      who created the task
    /// @param attempt   number of the attempt; 0 before the first
    public record Subject(int namespace, UUID user, UUID task, UUID execution, int attempt) {}

    /// An event that happened at `at`, of which nothing else is known yet.
    public static ExecutionEvent of(Action action, Result result, Subject subject, Instant at) {
        return new ExecutionEvent(UuidV7.next(), at, action, result, subject, null, null, null, null, null);
    }

    /// The same at a worker.
    public ExecutionEvent with(UUID worker, long fence) {
        return new ExecutionEvent(id, at, action, result, subject, worker, fence, state, code, durationMillis);
    }

    /// The same with what the execution is from now on, why, and how long the attempt ran.
    public ExecutionEvent with(@Nullable String state, @Nullable String code, @Nullable Long durationMillis) {
        return new ExecutionEvent(id, at, action, result, subject, worker, fence, state, code, durationMillis);
    }

    /// Packs it, behind what [EventBatch] tells packed events by.
    ///
    /// @return empty when its texts are too long for that
    Optional<byte[]> packed(int mark) {
        byte[] stateBytes = PackedParts.bytes(state);
        byte[] codeBytes = PackedParts.bytes(code);
        if (!PackedParts.fit(stateBytes, codeBytes)) {
            return Optional.empty();
        }
        int length = 4
                + 3 * PackedParts.UUID_BYTES
                + Long.BYTES
                + 2 * Integer.BYTES
                + (isOnce() ? 0 : PackedParts.UUID_BYTES)
                + (worker == null ? 0 : PackedParts.UUID_BYTES)
                + (fence == null ? 0 : Long.BYTES)
                + (state == null ? 0 : 2 + stateBytes.length)
                + (code == null ? 0 : 2 + codeBytes.length)
                + (durationMillis == null ? 0 : Long.BYTES);
        ByteBuffer out = ByteBuffer.allocate(Integer.BYTES + length)
                .putInt(mark | length)
                .put((byte) action.code)
                .put((byte) result.code())
                .putShort((short) flags());
        PackedParts.put(out, id);
        PackedParts.put(out, at);
        out.putInt(subject.namespace).putInt(subject.attempt);
        PackedParts.put(out, subject.user);
        PackedParts.put(out, subject.execution);
        if (!isOnce()) {
            PackedParts.put(out, subject.task);
        }
        if (worker != null) {
            PackedParts.put(out, worker);
        }
        if (fence != null) {
            out.putLong(fence);
        }
        if (state != null) {
            PackedParts.put(out, stateBytes);
        }
        if (code != null) {
            PackedParts.put(out, codeBytes);
        }
        if (durationMillis != null) {
            out.putLong(durationMillis);
        }
        return Optional.of(out.array());
    }

    private int flags() {
        return (worker == null ? 0 : WORKER)
                | (fence == null ? 0 : FENCE)
                | (state == null ? 0 : STATE)
                | (code == null ? 0 : CODE)
                | (durationMillis == null ? 0 : DURATION)
                | (isOnce() ? ONCE : 0);
    }

    /// A task that runs once has one execution, under its own id.
    private boolean isOnce() {
        return subject.task.equals(subject.execution);
    }

    /// Reads what [#packed] wrote, without mark and length.
    static ExecutionEvent unpacked(ByteBuffer in) {
        Action action = value(Action.values(), Action::code, in.get());
        Result result = value(Result.values(), Result::code, in.get());
        int flags = in.getShort();
        if (flags >= 2 * ONCE || flags < 0) {
            throw PackedParts.laterVersion();
        }
        UUID id = PackedParts.uuid(in);
        Instant at = PackedParts.instant(in);
        int namespace = in.getInt();
        int attempt = in.getInt();
        UUID user = PackedParts.uuid(in);
        UUID execution = PackedParts.uuid(in);
        UUID task = (flags & ONCE) != 0 ? execution : PackedParts.uuid(in);
        return new ExecutionEvent(
                id,
                at,
                action,
                result,
                new Subject(namespace, user, task, execution, attempt),
                (flags & WORKER) == 0 ? null : PackedParts.uuid(in),
                (flags & FENCE) == 0 ? null : in.getLong(),
                (flags & STATE) == 0 ? null : PackedParts.text(in),
                (flags & CODE) == 0 ? null : PackedParts.text(in),
                (flags & DURATION) == 0 ? null : in.getLong());
    }

    private static <T> T value(T[] values, ToIntFunction<T> code, byte found) {
        for (T value : values) {
            if (code.applyAsInt(value) == found) {
                return value;
            }
        }
        throw PackedParts.laterVersion();
    }

    @Override
    public AuditEvent auditEvent() {
        AuditEvent event = AuditEvent.of(this, EventType.TASK_EXECUTION, action.label, result)
                .user(subject.user)
                .namespace(subject.namespace)
                .task(subject.task)
                .execution(subject.execution)
                .with("attempt", (long) subject.attempt);
        if (worker != null) {
            event.worker(worker);
        }
        if (fence != null) {
            event.with("fence", fence);
        }
        if (state != null) {
            event.with("state", state);
        }
        if (code != null) {
            event.with("code", code);
        }
        return durationMillis == null ? event : event.durationMillis(durationMillis);
    }
}
