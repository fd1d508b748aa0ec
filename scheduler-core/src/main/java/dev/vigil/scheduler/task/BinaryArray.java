package dev.vigil.scheduler.task;

import java.nio.ByteBuffer;
import java.sql.SQLException;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.postgresql.jdbc.PgArray;

/// A one-dimensional array parameter as PostgreSQL stores it. The driver sends arrays of identifiers and times as text,
/// which costs both sides more than the row that an element becomes.
final class BinaryArray extends PgArray {
    private static final int UUID_ARRAY = 2951;
    private static final int TIMESTAMPTZ_ARRAY = 1185;
    private static final int BYTEA_ARRAY = 1001;
    private static final int UUID_ELEMENT = 2950;
    private static final int TIMESTAMPTZ_ELEMENT = 1184;
    private static final int BYTEA_ELEMENT = 17;
    /// Seconds from the epoch to 2000-01-01, from which PostgreSQL counts its microseconds.
    private static final long PG_EPOCH_SECONDS = 946_684_800;

    /// Dimensions, whether there may be nulls, element type; and of the one dimension its length and first index.
    private static final int HEADER = 5 * Integer.BYTES;

    private static final int EMPTY = 3 * Integer.BYTES;

    private final String type;

    private BinaryArray(int oid, String type, byte[] bytes) throws SQLException {
        super(null, oid, bytes);
        this.type = type;
    }

    /// As `uuid[]`.
    static BinaryArray of(@Nullable UUID[] elements) {
        byte[] bytes = room(elements, Long.BYTES * 2);
        ByteBuffer out = header(bytes, UUID_ELEMENT, elements);
        for (UUID element : elements) {
            if (element == null) {
                out.putInt(-1);
            } else {
                out.putInt(Long.BYTES * 2)
                        .putLong(element.getMostSignificantBits())
                        .putLong(element.getLeastSignificantBits());
            }
        }
        return array(UUID_ARRAY, "uuid", bytes);
    }

    /// As `timestamptz[]`, cut to microseconds.
    static BinaryArray of(@Nullable Instant[] elements) {
        byte[] bytes = room(elements, Long.BYTES);
        ByteBuffer out = header(bytes, TIMESTAMPTZ_ELEMENT, elements);
        for (Instant element : elements) {
            if (element == null) {
                out.putInt(-1);
            } else {
                long seconds = Math.subtractExact(element.getEpochSecond(), PG_EPOCH_SECONDS);
                out.putInt(Long.BYTES)
                        .putLong(Math.addExact(Math.multiplyExact(seconds, 1_000_000), element.getNano() / 1_000));
            }
        }
        return array(TIMESTAMPTZ_ARRAY, "timestamptz", bytes);
    }

    /// As `bytea[]`, in one piece of the right size; the driver has it grow from a kilobyte on.
    static BinaryArray of(byte[][] elements) {
        int length = elements.length == 0 ? EMPTY : HEADER;
        for (byte[] element : elements) {
            length = Math.addExact(length, Integer.BYTES + element.length);
        }
        byte[] bytes = new byte[length];
        ByteBuffer out = header(bytes, BYTEA_ELEMENT, elements);
        for (byte[] element : elements) {
            out.putInt(element.length).put(element);
        }
        return array(BYTEA_ARRAY, "bytea", bytes);
    }

    private static byte[] room(@Nullable Object[] elements, int length) {
        int bytes = elements.length == 0 ? EMPTY : HEADER;
        for (Object one : elements) {
            bytes += Integer.BYTES + (one == null ? 0 : length);
        }
        return new byte[bytes];
    }

    private static ByteBuffer header(byte[] bytes, int element, @Nullable Object[] elements) {
        ByteBuffer out = ByteBuffer.wrap(bytes)
                .putInt(elements.length == 0 ? 0 : 1)
                .putInt(1)
                .putInt(element);
        return elements.length == 0 ? out : out.putInt(elements.length).putInt(1);
    }

    private static BinaryArray array(int oid, String type, byte[] bytes) {
        try {
            return new BinaryArray(oid, type, bytes);
        } catch (SQLException e) {
            throw new IllegalStateException("the driver only keeps the bytes", e);
        }
    }

    @Override
    public String getBaseTypeName() {
        return type;
    }
}
