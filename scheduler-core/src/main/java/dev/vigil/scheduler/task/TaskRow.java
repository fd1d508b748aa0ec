package dev.vigil.scheduler.task;

import dev.vigil.scheduler.task.Schedule.OnGap;
import dev.vigil.scheduler.task.Schedule.OnOverlap;
import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/// How the columns of `scheduler.task` and a [TaskDraft] correspond.
final class TaskRow {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final TypeReference<Map<String, String>> LABELS = new TypeReference<>() {};

    static final int ONE_TIME = 1;
    static final int CRON = 2;
    static final int INTERVAL = 3;

    private TaskRow() {}

    static int kind(Schedule schedule) {
        return switch (schedule) {
            case Schedule.OneTime ignored -> ONE_TIME;
            case Schedule.Cron ignored -> CRON;
            case Schedule.Interval ignored -> INTERVAL;
        };
    }

    static int kind(String type) {
        return switch (type) {
            case "one_time" -> ONE_TIME;
            case "cron" -> CRON;
            case "interval" -> INTERVAL;
            default -> 0;
        };
    }

    static TaskView view(ResultSet row, int index) throws SQLException {
        TaskView.State state = TaskView.State.valueOf(row.getString("state"));
        return new TaskView(
                row.getObject("id", UUID.class),
                row.getInt("namespace"),
                row.getObject("owner", UUID.class),
                row.getInt("version"),
                draft(row),
                state,
                state == TaskView.State.SCHEDULED ? instant(row, "next_at") : null,
                row.getObject("created_at", OffsetDateTime.class).toInstant(),
                row.getObject("key_id", UUID.class),
                row.getInt("payload_version"));
    }

    private static TaskDraft draft(ResultSet row) throws SQLException {
        return new TaskDraft(
                row.getString("name"),
                row.getString("handler"),
                schedule(row),
                Coded.of(Priority.class, row.getInt("priority")),
                Duration.ofMillis(row.getLong("timeout_ms")),
                retry(row),
                Coded.of(Misfire.class, row.getInt("misfire")),
                row.getInt("misfire_limit"),
                Coded.of(Overlap.class, row.getInt("overlap")),
                Duration.ofMillis(row.getLong("jitter_ms")),
                labels(row.getString("labels")),
                after(row.getArray("after_ids")));
    }

    private static RetryPolicy retry(ResultSet row) throws SQLException {
        return new RetryPolicy(
                row.getInt("max_attempts"),
                Coded.of(RetryPolicy.Backoff.class, row.getInt("backoff")),
                Duration.ofMillis(row.getLong("retry_initial_ms")),
                Duration.ofMillis(row.getLong("retry_max_ms")));
    }

    private static Schedule schedule(ResultSet row) throws SQLException {
        int kind = row.getInt("kind");
        return switch (kind) {
            case ONE_TIME -> new Schedule.OneTime(instant(row, "at"));
            case CRON ->
                new Schedule.Cron(
                        row.getString("cron"),
                        ZoneId.of(row.getString("zone")),
                        Coded.of(OnGap.class, row.getInt("on_gap")),
                        Coded.of(OnOverlap.class, row.getInt("on_overlap")));
            case INTERVAL -> new Schedule.Interval(Duration.ofMillis(row.getLong("every_ms")), instant(row, "anchor"));
            default ->
                throw new IllegalStateException("task " + row.getString("id") + " is of kind " + kind
                        + ", which this version does not know; was the database written by a newer one?");
        };
    }

    private static List<UUID> after(@Nullable Array ids) throws SQLException {
        return ids == null ? List.of() : List.of((UUID[]) ids.getArray());
    }

    static String json(Map<String, String> labels) {
        return labels.isEmpty() ? "{}" : JSON.writeValueAsString(labels);
    }

    private static Map<String, String> labels(String json) {
        return json.equals("{}") ? Map.of() : JSON.readValue(json, LABELS);
    }

    static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
        OffsetDateTime at = row.getObject(column, OffsetDateTime.class);
        return at == null ? null : at.toInstant();
    }
}
