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
    private DueRow() {}

    static Due due(ResultSet row) throws SQLException {
        return new Due(
                row.getInt("shard"),
                row.getObject("id", UUID.class),
                row.getInt("lane"),
                instant(row, "due_at"),
                instant(row, "scheduled_for"),
                row.getInt("attempt"),
                row.getInt("losses"),
                row.getLong("fence_min"),
                facts(row),
                row.getBytes("payload"),
                row.getInt("payload_bytes"));
    }

    private static TaskFacts facts(ResultSet row) throws SQLException {
        return new TaskFacts(
                row.getInt("namespace"),
                row.getObject("task_id", UUID.class),
                row.getInt("version"),
                row.getObject("owner", UUID.class),
                row.getString("handler"),
                row.getObject("key_id", UUID.class),
                row.getInt("payload_version"),
                Duration.ofMillis(row.getLong("timeout_ms")),
                new RetryPolicy(
                        row.getInt("max_attempts"),
                        Coded.of(RetryPolicy.Backoff.class, row.getInt("backoff")),
                        Duration.ofMillis(row.getLong("retry_initial_ms")),
                        Duration.ofMillis(row.getLong("retry_max_ms"))),
                isLimit(row.getObject("most", Integer.class)),
                row.getInt("kind") == 1);
    }

    /// A limit that was lifted stands in the table as the largest number.
    private static boolean isLimit(@Nullable Integer most) {
        return most != null && most < Integer.MAX_VALUE;
    }

    static Instant instant(ResultSet row, String column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }

    static @Nullable String text(@Nullable Instant at) {
        return at == null ? null : at.toString();
    }
}
