package dev.vigil.audit.log;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.postgresql.copy.CopyManager;
import org.postgresql.core.BaseConnection;
import org.springframework.jdbc.core.ConnectionCallback;
import org.springframework.jdbc.core.JdbcTemplate;

/// Rows in PostgreSQL's binary copy format: for many narrow rows at once, as a directory has them, it costs a third of
/// an INSERT from arrays.
final class CopyRows {
    private static final byte[] SIGNATURE = "PGCOPY\n\377\r\n\0".getBytes(StandardCharsets.ISO_8859_1);
    private static final int UUID_BYTES = 2 * Long.BYTES;
    private static final int UUID_OID = 2950;
    private static final int BIGINT_OID = 20;
    private static final int ARRAY_HEADER_BYTES = 5 * Integer.BYTES;

    private ByteBuffer out =
            ByteBuffer.allocate(8 * 1024).put(SIGNATURE).putInt(0).putInt(0);

    /// Begins a row of so many columns.
    CopyRows row(int columns) {
        room(Short.BYTES).putShort((short) columns);
        return this;
    }

    CopyRows smallint(int value) {
        room(Integer.BYTES + Short.BYTES).putInt(Short.BYTES).putShort((short) value);
        return this;
    }

    CopyRows bigint(long value) {
        room(Integer.BYTES + Long.BYTES).putInt(Long.BYTES).putLong(value);
        return this;
    }

    CopyRows uuid(UUID value) {
        room(Integer.BYTES + UUID_BYTES).putInt(UUID_BYTES);
        put(value);
        return this;
    }

    CopyRows bytea(byte[] value) {
        room(Integer.BYTES + value.length).putInt(value.length).put(value);
        return this;
    }

    CopyRows uuids(List<UUID> values) {
        array(values.size(), UUID_OID, UUID_BYTES);
        for (UUID value : values) {
            out.putInt(UUID_BYTES);
            put(value);
        }
        return this;
    }

    CopyRows bigints(List<Long> values) {
        array(values.size(), BIGINT_OID, Long.BYTES);
        for (long value : values) {
            out.putInt(Long.BYTES).putLong(value);
        }
        return this;
    }

    /// Writes the head of an array of one dimension, whose first element has the number 1.
    private void array(int elements, int type, int bytesEach) {
        int length = ARRAY_HEADER_BYTES + elements * (Integer.BYTES + bytesEach);
        room(Integer.BYTES + length)
                .putInt(length)
                .putInt(1)
                .putInt(0)
                .putInt(type)
                .putInt(elements)
                .putInt(1);
    }

    private void put(UUID value) {
        out.putLong(value.getMostSignificantBits()).putLong(value.getLeastSignificantBits());
    }

    private ByteBuffer room(int bytes) {
        if (out.remaining() < bytes) {
            byte[] larger = Arrays.copyOf(out.array(), 2 * out.capacity() + bytes);
            out = ByteBuffer.wrap(larger).position(out.position());
        }
        return out;
    }

    /// Stores the rows, in the transaction of the connection if there is one.
    ///
    /// @param copy a statement `COPY … FROM STDIN (FORMAT binary)`
    /// @throws org.springframework.dao.DataAccessException when one of them is refused; then none is stored
    void store(DataSource connections, String copy) {
        room(Short.BYTES).putShort((short) -1);
        var bytes = new ByteArrayInputStream(out.array(), 0, out.position());
        new JdbcTemplate(connections).execute((ConnectionCallback<Long>) connection -> stored(connection, copy, bytes));
    }

    private static long stored(Connection connection, String copy, ByteArrayInputStream bytes) throws SQLException {
        try {
            return new CopyManager(connection.unwrap(BaseConnection.class)).copyIn(copy, bytes);
        } catch (IOException e) {
            throw new SQLException("the rows were not sent", e);
        }
    }
}
