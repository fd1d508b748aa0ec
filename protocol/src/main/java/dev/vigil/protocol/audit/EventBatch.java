package dev.vigil.protocol.audit;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Several events in one outbox row: each a 4-byte big-endian length and its canonical bytes, or, where the first bit
/// of the length is set, a [PackedEvent].
public final class EventBatch {
    private static final int PACKED = 1 << 31;
    private static final int LENGTH_BYTES = Integer.BYTES;

    private EventBatch() {}

    /// One event, packed and framed. Framed events may be concatenated, by SQL too.
    public static byte[] frame(PackedEvent event) {
        Optional<byte[]> packed = switch (event) {
            case CreateEvent created -> created.packed(PACKED);
            case ExecutionEvent executed -> executed.packed(PACKED);
        };
        return packed.orElseGet(() -> frame(event.auditEvent()));
    }

    /// One event, framed. Framed events may be concatenated, by SQL too.
    public static byte[] frame(AuditEvent event) {
        return frame(event.canonicalBytes());
    }

    /// The canonical bytes of one event, framed.
    public static byte[] frame(byte[] canonical) {
        return ByteBuffer.allocate(LENGTH_BYTES + canonical.length)
                .putInt(canonical.length)
                .put(canonical)
                .array();
    }

    /// Whether a frame has a packed event, of some hundred bytes instead of five times as many.
    public static boolean isPacked(byte[] frame) {
        return frame.length > 0 && frame[0] < 0;
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
    /// @param frame  as it stands in the row
    /// @param bytes  its canonical bytes
    /// @param packed what they were written from; null when they stood in the row themselves
    public record Entry(
            byte[] frame, byte[] bytes, @Nullable PackedEvent packed) {
        /// The event in a frame.
        ///
        /// @throws IllegalArgumentException when it was cut, or is of a later version
        public static Entry of(byte[] frame) {
            if (!isPacked(frame)) {
                return new Entry(frame, Arrays.copyOfRange(frame, LENGTH_BYTES, frame.length), null);
            }
            PackedEvent packed = unpacked(ByteBuffer.wrap(frame, LENGTH_BYTES, frame.length - LENGTH_BYTES));
            return new Entry(frame, packed.auditEvent().canonicalBytes(), packed);
        }
    }

    private static PackedEvent unpacked(ByteBuffer in) {
        try {
            PackedEvent event =
                    in.get(in.position()) == CreateEvent.FORM ? CreateEvent.unpacked(in) : ExecutionEvent.unpacked(in);
            if (in.hasRemaining()) {
                throw PackedParts.laterVersion();
            }
            return event;
        } catch (BufferUnderflowException | IndexOutOfBoundsException cut) {
            throw new IllegalArgumentException("a packed event was cut", cut);
        }
    }

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
        return frames(row).stream().map(Entry::of).toList();
    }

    /// The frames of an outbox row, one an event.
    ///
    /// @throws IllegalArgumentException when the row was cut or its lengths do not add up
    public static List<byte[]> frames(byte[] row) {
        var frames = new ArrayList<byte[]>();
        for (int at = 0; at < row.length; ) {
            int left = row.length - at - LENGTH_BYTES;
            int length = left < 0 ? 0 : ByteBuffer.wrap(row, at, LENGTH_BYTES).getInt() & ~PACKED;
            if (left < length) {
                throw new IllegalArgumentException("outbox row is cut at byte " + at + " of " + row.length);
            }
            frames.add(Arrays.copyOfRange(row, at, at + LENGTH_BYTES + length));
            at += LENGTH_BYTES + length;
        }
        return frames;
    }
}
