package dev.vigil.protocol.audit;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Several events in one outbox row: each a 4-byte big-endian length and its canonical bytes.
public final class EventBatch {
    private EventBatch() {}

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

    /// The canonical bytes of each event of an outbox row.
    ///
    /// @throws IllegalArgumentException when the row was cut or its lengths do not add up
    public static List<byte[]> split(byte[] row) {
        var events = new ArrayList<byte[]>();
        int at = 0;
        while (at < row.length) {
            int length = row.length - at < 4 ? -1 : ByteBuffer.wrap(row, at, 4).getInt();
            if (length < 0 || length > row.length - at - 4) {
                throw new IllegalArgumentException("outbox row is cut at byte " + at + " of " + row.length);
            }
            events.add(Arrays.copyOfRange(row, at + 4, at + 4 + length));
            at += 4 + length;
        }
        return events;
    }
}
