package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.task.Coded;
import dev.vigil.scheduler.task.Columns;
import dev.vigil.scheduler.task.Lane;
import dev.vigil.scheduler.task.Misfire;
import dev.vigil.scheduler.task.Overlap;
import dev.vigil.scheduler.task.Priority;
import dev.vigil.scheduler.task.Schedule;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The table `scheduler.schedule` as the owner of its shard reads and advances it.
final class ScheduleRows {
    private static final String ADVANCE = """
            WITH s AS MATERIALIZED (
              SELECT s.id FROM scheduler.shard s
                JOIN unnest(:myShards::int[], :myEpochs::bigint[], :myChanges::bigint[])
                     AS mine(id, epoch, change_seq) ON mine.id = s.id
               WHERE s.owner = :me AND s.epoch = mine.epoch AND s.change_seq = mine.change_seq
                 FOR SHARE OF s
            ), v AS (
              SELECT v.* FROM unnest(:stepShards::int[], :stepTasks::uuid[], :expecteds::timestamptz[],
                                     :nexts::timestamptz[]) AS v(shard, task, expected, next)
                JOIN s ON s.id = v.shard
            ), f AS (
              SELECT * FROM unnest(:shards::int[], :namespaces::int[], :tasks::uuid[], :versions::int[],
                                   :ids::uuid[], :ats::timestamptz[], :dues::timestamptz[], :lanes::smallint[],
                                   :codes::text[], :owners::uuid[], :handlers::text[], :keyIds::uuid[],
                                   :payloadVersions::int[], :events::bytea[])
                  AS f(shard, namespace, task, version, id, at, due_at, lane, code, owner, handler, key_id,
                       payload_version, event)
            ), gone AS (
              DELETE FROM scheduler.schedule c USING v
               WHERE c.shard = v.shard AND c.task_id = v.task AND c.next_at = v.expected AND NOT c.paused
                 AND v.next IS NULL
              RETURNING c.shard, c.task_id
            ), moved AS (
              UPDATE scheduler.schedule c
                 SET next_at = v.next,
                     open = ARRAY (SELECT e.id FROM scheduler.execution e
                                    WHERE e.shard = c.shard AND e.id = ANY (c.open))
                            || ARRAY (SELECT f.id FROM f
                                       WHERE f.shard = c.shard AND f.task = c.task_id AND f.code IS NULL)
                FROM v
               WHERE c.shard = v.shard AND c.task_id = v.task AND c.next_at = v.expected AND NOT c.paused
                 AND v.next IS NOT NULL
              RETURNING c.shard, c.task_id
            ), u AS (
              SELECT * FROM gone UNION ALL SELECT * FROM moved
            ), e AS (
              INSERT INTO scheduler.execution
                     (shard, namespace, id, task_id, due_at, scheduled_for, version, lane)
              SELECT f.shard, f.namespace, f.id, f.task, f.due_at, f.at, f.version, f.lane
                FROM f JOIN u ON u.shard = f.shard AND u.task_id = f.task
               WHERE f.code IS NULL
                  ON CONFLICT DO NOTHING
              RETURNING shard, lane, due_at
            ), h AS (
              INSERT INTO scheduler.history
                     (namespace, version, id, task_id, owner, fence, scheduled_for, payload_version, shard,
                      state, attempt, losses, uploaded, key_id, handler, code)
              SELECT f.namespace, f.version, f.id, f.task, f.owner, 0, f.at, f.payload_version, f.shard,
                     5, 0, 0, false, f.key_id, f.handler, f.code
                FROM f JOIN u ON u.shard = f.shard AND u.task_id = f.task
               WHERE f.code IS NOT NULL
            ), o AS (
              INSERT INTO scheduler.outbox (n, events)
              SELECT count(*), string_agg(f.event, ''::bytea)
                FROM f JOIN u ON u.shard = f.shard AND u.task_id = f.task
               WHERE f.code IS NOT NULL
              HAVING count(*) > 0
            )
            SELECT s.id AS shard, e.lane, e.due_at FROM s LEFT JOIN e ON e.shard = s.id
            """;

    /// Most schedules that are advanced at once.
    static final int BATCH_MAX = 500;

    private ScheduleRows() {}

    /// A schedule that comes due.
    ///
    /// @param nextAt  the occurrence it waits for
    /// @param standing executions of it that are not over
    /// @param lane    of its executions
    record Row(
            int shard,
            int namespace,
            UUID task,
            int version,
            Instant nextAt,
            FirePlan.Standing standing,
            int lane,
            FirePlan.Rules rules,
            Facts facts) {}

    /// What a skipped occurrence's history row needs.
    record Facts(UUID owner, String handler, UUID keyId, int payloadVersion) {}

    static List<Row> due(JdbcClient db, Collection<Integer> shards, Instant bound) {
        return db.sql("""
                        SELECT c.shard, c.namespace, c.task_id, c.version, c.next_at, t.owner, t.handler, t.key_id,
                               t.payload_version, t.kind, t.priority, t.misfire, t.misfire_limit, t.overlap, t.jitter_ms,
                               t.cron, t.zone, t.on_gap, t.on_overlap, t.every_ms, t.anchor, o.open, o.waiting
                          FROM (SELECT * FROM scheduler.schedule c
                                 WHERE c.shard = ANY (:shards::int[]) AND NOT c.paused
                                   AND c.next_at <= :bound::timestamptz
                                 ORDER BY c.next_at LIMIT :limit) c
                          JOIN scheduler.task t
                            ON t.namespace = c.namespace AND t.id = c.task_id AND t.version = c.version
                         CROSS JOIN LATERAL (SELECT count(*) AS open, count(*) FILTER (WHERE e.lane < -100) AS waiting
                                               FROM scheduler.execution e
                                              WHERE e.shard = c.shard AND e.id = ANY (c.open)) o
                         ORDER BY c.next_at
                        """)
                .param("shards", shards.toArray(Integer[]::new))
                .param("bound", bound.toString())
                .param("limit", BATCH_MAX)
                .query((row, index) -> row(row))
                .list();
    }

    private static Row row(ResultSet row) throws SQLException {
        int namespace = row.getInt("namespace");
        return new Row(
                row.getInt("shard"),
                namespace,
                row.getObject("task_id", UUID.class),
                row.getInt("version"),
                DueRow.instant(row, "next_at"),
                new FirePlan.Standing(row.getInt("open"), row.getInt("waiting")),
                Lane.of(Coded.of(Priority.class, row.getInt("priority")), namespace),
                new FirePlan.Rules(
                        schedule(row),
                        Coded.of(Misfire.class, row.getInt("misfire")),
                        row.getInt("misfire_limit"),
                        Coded.of(Overlap.class, row.getInt("overlap")),
                        Duration.ofMillis(row.getLong("jitter_ms"))),
                new Facts(
                        row.getObject("owner", UUID.class),
                        row.getString("handler"),
                        row.getObject("key_id", UUID.class),
                        row.getInt("payload_version")));
    }

    private static Schedule schedule(ResultSet row) throws SQLException {
        return row.getInt("kind") == 3
                ? new Schedule.Interval(Duration.ofMillis(row.getLong("every_ms")), DueRow.instant(row, "anchor"))
                : new Schedule.Cron(
                        row.getString("cron"),
                        ZoneId.of(row.getString("zone")),
                        Coded.of(Schedule.OnGap.class, row.getInt("on_gap")),
                        Coded.of(Schedule.OnOverlap.class, row.getInt("on_overlap")));
    }

    /// The schedule of one task.
    static List<Schedule> ofTask(JdbcClient db, int shard, UUID task) {
        return db.sql("""
                        SELECT t.kind, t.cron, t.zone, t.on_gap, t.on_overlap, t.every_ms, t.anchor
                          FROM scheduler.schedule c
                          JOIN scheduler.task t
                            ON t.namespace = c.namespace AND t.id = c.task_id AND t.version = c.version
                         WHERE c.shard = :shard AND c.task_id = :task
                        """)
                .param("shard", shard)
                .param("task", task)
                .query((row, index) -> schedule(row))
                .list();
    }

    /// What an execution finds of its own schedule.
    ///
    /// @param overlap of the task's version that fires
    /// @param open    other executions of it that are not over
    record Siblings(Overlap overlap, int open) {
        private static final Siblings NONE = new Siblings(Overlap.ALLOW, 0);
    }

    static Siblings siblings(JdbcClient db, int shard, Due due) {
        return db.sql("""
                        SELECT t.overlap, (SELECT count(*) FROM scheduler.execution e
                                            WHERE e.shard = c.shard AND e.id = ANY (c.open) AND e.id <> :id) AS open
                          FROM scheduler.schedule c
                          JOIN scheduler.task t
                            ON t.namespace = c.namespace AND t.id = c.task_id AND t.version = c.version
                         WHERE c.shard = :shard AND c.task_id = :task
                        """)
                .param("shard", shard)
                .param("task", due.task().id())
                .param("id", due.id())
                .query((row, index) -> new Siblings(Coded.of(Overlap.class, row.getInt("overlap")), row.getInt("open")))
                .optional()
                .orElse(Siblings.NONE);
    }

    /// When the first schedule of each shard fires after `bound`.
    record First(int shard, Instant at) {}

    static List<First> first(JdbcClient db, Collection<Integer> shards, Instant bound) {
        return db.sql("""
                        SELECT s.id AS shard, c.next_at FROM unnest(:shards::int[]) AS s(id)
                         CROSS JOIN LATERAL (SELECT c.next_at FROM scheduler.schedule c
                                              WHERE c.shard = s.id AND NOT c.paused
                                                AND c.next_at > :bound::timestamptz
                                              ORDER BY c.next_at LIMIT 1) c
                        """)
                .param("bound", bound.toString())
                .param("shards", shards.toArray(Integer[]::new))
                .query((row, index) -> new First(row.getInt("shard"), DueRow.instant(row, "next_at")))
                .list();
    }

    /// A schedule moves on.
    ///
    /// @param next the occurrence it waits for then; null when it never fires again
    record Step(Row row, @Nullable Instant next) {}

    /// An occurrence of it.
    ///
    /// @param at    the occurrence
    /// @param dueAt when it may run
    /// @param waits whether it waits for earlier ones
    /// @param code  why it is skipped; null when it runs
    /// @param event framed; empty when it runs
    record Occurrence(
            Row row,
            UUID id,
            Instant at,
            Instant dueAt,
            boolean waits,
            @Nullable String code,
            byte[] event) {}

    /// A stored occurrence that runs, or only a shard that passed when the lane is null.
    record Fired(
            int shard, @Nullable Integer lane, @Nullable Instant dueAt) {}

    /// Moves schedules on where they stood and stores their occurrences, in one statement. A schedule with a
    /// command in its shard that is not carried out does not move. One that never fires again goes.
    static List<Fired> advance(JdbcClient db, Owned owned, List<Step> steps, List<Occurrence> occurrences) {
        return db.sql(ADVANCE)
                .params(owned.parameters())
                .params(new Columns<>(steps)
                        .add("stepShards", new Integer[0], step -> step.row.shard)
                        .add("stepTasks", new UUID[0], step -> step.row.task)
                        .add("expecteds", new Instant[0], step -> step.row.nextAt)
                        .add("nexts", new Instant[0], step -> step.next)
                        .arrays())
                .params(columns(occurrences).arrays())
                .query((row, index) -> new Fired(
                        row.getInt("shard"),
                        row.getObject("lane", Integer.class),
                        row.getObject("lane") == null ? null : DueRow.instant(row, "due_at")))
                .list();
    }

    private static Columns<Occurrence> columns(List<Occurrence> occurrences) {
        return new Columns<>(occurrences)
                .add("shards", new Integer[0], one -> one.row.shard)
                .add("namespaces", new Integer[0], one -> one.row.namespace)
                .add("tasks", new UUID[0], one -> one.row.task)
                .add("versions", new Integer[0], one -> one.row.version)
                .add("ids", new UUID[0], Occurrence::id)
                .add("ats", new Instant[0], one -> one.at)
                .add("dues", new Instant[0], one -> one.dueAt)
                .add("lanes", new Integer[0], one -> one.waits ? Lane.waiting(one.row.lane) : one.row.lane)
                .add("codes", new String[0], Occurrence::code)
                .add("owners", new UUID[0], one -> one.row.facts.owner)
                .add("handlers", new String[0], one -> one.row.facts.handler)
                .add("keyIds", new UUID[0], one -> one.row.facts.keyId)
                .add("payloadVersions", new Integer[0], one -> one.row.facts.payloadVersion)
                .add("events", new byte[0][], Occurrence::event);
    }
}
