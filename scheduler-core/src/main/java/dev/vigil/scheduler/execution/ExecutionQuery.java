package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.task.Commands.Kind;
import dev.vigil.scheduler.task.Page;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The queries that read executions: the open ones with the newest dispatch that is not stale, and the ended
/// ones.
final class ExecutionQuery {
    private static final String OPEN = """
            SELECT * FROM (
              SELECT e.id, e.task_id, e.namespace, t.owner, t.handler, t.payload_version, t.key_id, e.scheduled_for,
                     e.attempt + (d.fence IS NOT NULL)::int AS attempt,
                     CASE WHEN d.fence IS NOT NULL THEN greatest(d.at, e.due_at) END AS started_at,
                     NULL::timestamptz AS finished_at, NULL::bigint AS duration_ms, d.worker, NULL::text AS code,
                     0::bigint AS fence, e.shard,
                     CASE WHEN d.fence IS NOT NULL THEN 'RUNNING'
                          WHEN coalesce(p.kind = :pause, e.lane BETWEEN -100 AND -1) THEN 'HELD'
                          WHEN e.lane < -100 OR e.attempt > 0 AND e.due_at > clock_timestamp() THEN 'WAITING'
                          ELSE 'QUEUED' END AS state
                FROM scheduler.execution e
                JOIN scheduler.task t ON t.namespace = e.namespace AND t.id = e.task_id AND t.version = e.version
                LEFT JOIN LATERAL (SELECT o.fence, o.worker, o.at FROM scheduler.open_dispatch o
                                    WHERE o.shard = e.shard AND o.execution = e.id AND o.fence >= e.fence_min
                                    ORDER BY o.fence DESC LIMIT 1) d ON true
                LEFT JOIN LATERAL (SELECT i.kind FROM scheduler.inbox i
                                    WHERE i.ref = e.task_id AND i.change_seq IS NOT NULL AND i.kind IN (:pause, :resume)
                                    ORDER BY i.change_seq DESC LIMIT 1) p ON true
            ) x WHERE true
            """;

    private static final String ENDED = """
            SELECT * FROM (
              SELECT h.id, h.task_id, h.namespace, h.owner, h.handler, h.payload_version, h.key_id, h.scheduled_for,
                     h.attempt, h.started_at, h.finished_at, h.duration_ms, h.worker, h.code, h.fence, h.shard,
                     CASE h.state WHEN 1 THEN 'SUCCEEDED' WHEN 2 THEN 'FAILED' WHEN 3 THEN 'TIMED_OUT'
                                  WHEN 4 THEN 'CANCELLED' WHEN 5 THEN 'SKIPPED' END AS state
                FROM scheduler.history h
            ) x WHERE true
            """;

    private static final String FILTER = """
               AND (:namespace::int IS NULL OR x.namespace = :namespace)
               AND (:owner::uuid IS NULL OR x.owner = :owner)
               AND (:task::uuid IS NULL OR x.task_id = :task)
               AND (:state::text IS NULL OR x.state = :state)
               AND (:handler::text IS NULL OR x.handler = :handler)
               AND (:worker::uuid IS NULL OR x.worker = :worker)
               AND (:from::timestamptz IS NULL OR x.scheduled_for >= :from::timestamptz)
               AND (:to::timestamptz IS NULL OR x.scheduled_for < :to::timestamptz)
            """;

    /// Open executions of one task: a one_time task's has the task's id, a schedule lists its own, and some wait to
    /// be admitted.
    private static final String OF_TASK = """
               AND x.id IN (SELECT :task::uuid
                             UNION SELECT unnest(c.open) FROM scheduler.schedule c
                             WHERE c.shard = x.shard AND c.task_id = :task
                             UNION SELECT i.ref FROM scheduler.inbox i
                             WHERE i.shard = x.shard AND i.kind IN (:trigger, :retry))
            """;

    private static final String NEWEST = """
               AND (:after::uuid IS NULL OR x.id < :after) ORDER BY x.id DESC LIMIT :limit
            """;

    private static final String OLDEST = """
               AND (:after::uuid IS NULL OR x.id > :after) ORDER BY x.id LIMIT :limit
            """;

    /// One execution. History's index leads with the namespace, which is not known: PostgreSQL skips from one
    /// to the next.
    static final String ONE = """
            SELECT y.* FROM scheduler.shard s CROSS JOIN LATERAL (%s AND x.shard = s.id AND x.id = :id) y
            UNION ALL
            (%s AND x.id = :id)
            """.formatted(OPEN, ENDED);

    private ExecutionQuery() {}

    /// Each shard gives its first rows by its primary key; history gives its own by its index.
    static String list(boolean ascending, boolean ofTask) {
        String order = ascending ? OLDEST : NEWEST;
        return """
                SELECT * FROM (
                  (SELECT y.* FROM scheduler.shard s CROSS JOIN LATERAL (%s AND x.shard = s.id %s %s %s) y)
                  UNION ALL
                  (%s %s %s)
                ) x WHERE true %s
                """.formatted(OPEN, ofTask ? OF_TASK : "", FILTER, order, ENDED, FILTER, order, order);
    }

    static Map<String, @Nullable Object> parameters(ExecutionFilter filter, Page page) {
        var parameters = new HashMap<String, @Nullable Object>(codes());
        parameters.put("namespace", filter.namespace());
        parameters.put("owner", filter.owner());
        parameters.put("task", filter.taskId());
        parameters.put("state", filter.state() == null ? null : filter.state().name());
        parameters.put("handler", filter.handler());
        parameters.put("worker", filter.workerId());
        parameters.put("from", text(filter.from()));
        parameters.put("to", text(filter.to()));
        parameters.put("after", page.after());
        parameters.put("limit", page.limit());
        return parameters;
    }

    static Map<String, Integer> codes() {
        return Map.of(
                "pause",
                Kind.PAUSE.code(),
                "resume",
                Kind.RESUME.code(),
                "trigger",
                Kind.TRIGGER.code(),
                "retry",
                Kind.RETRY.code());
    }

    static ExecutionView view(ResultSet row, int index) throws SQLException {
        Long duration = row.getObject("duration_ms", Long.class);
        return new ExecutionView(
                row.getObject("id", UUID.class),
                row.getObject("task_id", UUID.class),
                row.getInt("namespace"),
                row.getObject("owner", UUID.class),
                row.getString("handler"),
                State.valueOf(row.getString("state")),
                row.getInt("attempt"),
                row.getObject("scheduled_for", OffsetDateTime.class).toInstant(),
                instant(row, "started_at"),
                instant(row, "finished_at"),
                duration == null ? null : Duration.ofMillis(duration),
                row.getObject("worker", UUID.class),
                row.getString("code"),
                row.getInt("payload_version"),
                row.getObject("key_id", UUID.class),
                row.getLong("fence"));
    }

    static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
        OffsetDateTime at = row.getObject(column, OffsetDateTime.class);
        return at == null ? null : at.toInstant();
    }

    private static @Nullable String text(@Nullable Instant at) {
        return at == null ? null : at.toString();
    }
}
