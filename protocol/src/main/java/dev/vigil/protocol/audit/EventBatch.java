package dev.vigil.protocol.audit;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Several events in one outbox row: each a 4-byte big-endian length and its canonical bytes, or, where the first bit
/// of
/// the length is set, an [ExecutionEvent] as it is packed.
public final class EventBatch {
    private static final int PACKED = 1 << 31;

    private EventBatch() {}

    /// One event of an execution, packed and framed. Framed events may be concatenated, by SQL too.
    public static byte[] frame(ExecutionEvent event) {
        return event.packed(PACKED).orElseGet(() -> frame(event.auditEvent()));
    }

    /// One event, framed. Framed events may be concatenated, by SQL too.
    public static byte[] frame(AuditEvent event) {
        byte[] bytes = event.canonicalBytes();
        return ByteBuffer.allocate(4 + bytes.length)
                .putInt(bytes.length)
                .put(bytes)
                .array();
    }

    /// Several events, framed one after the other.
    public static byte[] frame(List<AuditEvent> events) {
        List<byte[]> frames = events.stream().map(EventBatch::frame).toList();
        var out = ByteBuffer.allocate(frames.stream().mapToInt(f -> f.length).sum());
        frames.forEach(out::put);
        return out.array();
    }

    /// An event of an outbox row.
    ///
    /// @param bytes  its canonical bytes
    /// @param packed what they were written from; null when they stood in the row themselves
    public record Entry(byte[] bytes, @Nullable ExecutionEvent packed) {}

    /// The canonical bytes of each event of an outbox row.
    ///
    /// @throws IllegalArgumentException when the row was cut or its lengths do not add up
    public static List<byte[]> split(byte[] row) {
        return read(row).stream().map(Entry::bytes).toList();
    }

    /// Each event of an outbox row.
    ///
    /// @throws IllegalArgumentException when the row was cut or its lengths do not add up
    public static List<Entry> read(byte[] row) {
        var events = new ArrayList<Entry>();
        int at = 0;
        while (at < row.length) {
            int word = row.length - at < 4
                    ? Integer.MAX_VALUE
                    : ByteBuffer.wrap(row, at, 4).getInt();
            int length = word & ~PACKED;
            if (length > row.length - at - 4) {
                throw new IllegalArgumentException("outbox row is cut at byte " + at + " of " + row.length);
            }
            if (word >= 0) {
                events.add(new Entry(Arrays.copyOfRange(row, at + 4, at + 4 + length), null));
            } else {
                ExecutionEvent packed = ExecutionEvent.unpacked(ByteBuffer.wrap(row, at + 4, length));
                events.add(new Entry(packed.auditEvent().canonicalBytes(), packed));
            }
            at += 4 + length;
        }
        return events;
    }
}
