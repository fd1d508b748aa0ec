package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.task.Coded;
import dev.vigil.scheduler.task.RetryPolicy;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Reads an execution beside its task, as the owner's queries select them.
final class DueRow {
    /// What [#due] reads, in this order; a column `payload` follows. By number: a look for the name of each takes
    /// as long as the rest of a row.
    static final String COLUMNS = """
            e.shard, e.id, e.lane, e.due_at, e.scheduled_for, e.attempt, e.losses, e.fence_min, e.namespace, e.task_id,
            e.version, t.owner, t.handler, t.key_id, t.payload_version, t.timeout_ms, t.max_attempts, t.backoff,
            t.retry_initial_ms, t.retry_max_ms, t.kind, t.payload_bytes, l.most""";

    private DueRow() {}

    static Due due(ResultSet row) throws SQLException {
        return new Due(
                row.getInt(1),
                row.getObject(2, UUID.class),
                row.getInt(3),
                instant(row, 4),
                instant(row, 5),
                row.getInt(6),
                row.getInt(7),
                row.getLong(8),
                facts(row),
                row.getBytes(24),
                row.getInt(22));
    }

    private static TaskFacts facts(ResultSet row) throws SQLException {
        return new TaskFacts(
                row.getInt(9),
                row.getObject(10, UUID.class),
                row.getInt(11),
                row.getObject(12, UUID.class),
                row.getString(13),
                row.getObject(14, UUID.class),
                row.getInt(15),
                Duration.ofMillis(row.getLong(16)),
                new RetryPolicy(
                        row.getInt(17),
                        Coded.of(RetryPolicy.Backoff.class, row.getInt(18)),
                        Duration.ofMillis(row.getLong(19)),
                        Duration.ofMillis(row.getLong(20))),
                isLimit(row.getObject(23, Integer.class)),
                row.getInt(21) == 1);
    }

    /// A limit that was lifted stands in the table as the largest number.
    private static boolean isLimit(@Nullable Integer most) {
        return most != null && most < Integer.MAX_VALUE;
    }

    static Instant instant(ResultSet row, String column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }

    private static Instant instant(ResultSet row, int column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }

    static @Nullable String text(@Nullable Instant at) {
        return at == null ? null : at.toString();
    }
}
