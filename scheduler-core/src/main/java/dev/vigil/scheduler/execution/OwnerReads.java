package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.task.Coded;
import dev.vigil.scheduler.task.Columns;
import dev.vigil.scheduler.task.Commands.Kind;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// What the owner of shards reads. Nothing here takes a lock: only the owner changes what it reads.
final class OwnerReads {
    /// Most executions that one lane gives at once.
    static final int SCAN_MAX = 1000;

    private static final String SCAN = """
            SELECT %s, CASE WHEN e.beyond THEN NULL ELSE t.payload END AS payload
              FROM unnest(:shards::int[], :lanes::smallint[], :ats::timestamptz[], :ids::uuid[],
                          :singles::int[], :passed::text[]) AS c(shard, lane, at, id, single, passed)
             CROSS JOIN LATERAL (
               (SELECT false AS beyond, e.* FROM scheduler.execution e
                 WHERE e.shard = c.shard AND e.lane = c.lane AND (e.due_at, e.id) > (c.at, c.id)
                   AND e.due_at <= :bound::timestamptz
                   AND (c.single IS NULL OR e.namespace = c.single) AND e.namespace <> ALL (c.passed::int[])
                 ORDER BY e.due_at, e.id LIMIT %d)
               UNION ALL
               (SELECT true, e.* FROM scheduler.execution e
                 WHERE e.shard = c.shard AND e.lane = c.lane AND e.due_at > :bound::timestamptz
                 ORDER BY e.due_at, e.id LIMIT 1)
             ) e
             CROSS JOIN LATERAL (
               SELECT * FROM scheduler.task t
                WHERE t.namespace = e.namespace AND t.id = e.task_id AND t.version = e.version
               OFFSET 0
             ) t
              LEFT JOIN scheduler.concurrency l ON l.namespace = t.namespace AND l.owner = t.owner
            """.formatted(DueRow.COLUMNS, SCAN_MAX);

    private static final String BY_ID = """
            SELECT %s, NULL::bytea AS payload
              FROM scheduler.execution e
              JOIN scheduler.task t
                ON t.namespace = e.namespace AND t.id = e.task_id AND t.version = e.version
              LEFT JOIN scheduler.concurrency l ON l.namespace = t.namespace AND l.owner = t.owner
             WHERE e.shard = :shard AND e.id = ANY (:ids::uuid[])
            """.formatted(DueRow.COLUMNS);

    private static final String OPEN = """
            SELECT %s, NULL::bytea AS payload, o.fence, o.worker, o.boot, o.at
              FROM (SELECT DISTINCT ON (shard, execution) shard, execution, fence, worker, boot, at
                      FROM scheduler.open_dispatch WHERE shard = ANY (:shards::int[])
                     ORDER BY shard, execution, fence DESC) o
             CROSS JOIN LATERAL (
               SELECT * FROM scheduler.execution e
                WHERE e.shard = o.shard AND e.id = o.execution AND e.fence_min <= o.fence
               OFFSET 0
             ) e
             CROSS JOIN LATERAL (
               SELECT * FROM scheduler.task t
                WHERE t.namespace = e.namespace AND t.id = e.task_id AND t.version = e.version
               OFFSET 0
             ) t
              LEFT JOIN scheduler.concurrency l ON l.namespace = t.namespace AND l.owner = t.owner
            """.formatted(DueRow.COLUMNS);

    private OwnerReads() {}

    /// Where the reading of a lane goes on.
    ///
    /// @param at     exclusive together with `id`
    /// @param id     the last one read at `at`
    /// @param only   the namespace it reads; null for all
    /// @param except namespaces that it passes over
    record Cursor(
            int shard,
            int lane,
            Instant at,
            UUID id,
            @Nullable Integer only,
            List<Integer> except) {
        boolean reads(int namespace) {
            return only == null ? !except.contains(namespace) : only == namespace;
        }
    }

    /// The next due executions of each lane, and the first one of any namespace beyond the bound, without its payload:
    /// to look for one of certain namespaces would be to walk through all that lies in the future. Tasks are
    /// looked up one by one, which `OFFSET 0` sees to: a join of the planner's choice may read the whole table.
    static List<Due> scan(JdbcClient db, List<Cursor> cursors, Instant bound) {
        var columns = new Columns<>(cursors)
                .add("shards", new Integer[0], Cursor::shard)
                .add("lanes", new Integer[0], Cursor::lane)
                .add("ats", new Instant[0], Cursor::at)
                .add("ids", new UUID[0], Cursor::id)
                .add("singles", new Integer[0], Cursor::only)
                .add(
                        "passed",
                        new String[0],
                        cursor -> cursor.except().stream()
                                .map(String::valueOf)
                                .collect(Collectors.joining(",", "{", "}")));
        return db.sql(SCAN)
                .params(columns.arrays())
                .param("bound", bound.toString())
                .query((row, index) -> DueRow.due(row))
                .list();
    }

    /// Executions of a shard by their ids, held ones too.
    static List<Due> byId(JdbcClient db, int shard, Collection<UUID> ids) {
        return db.sql(BY_ID)
                .param("shard", shard)
                .param("ids", ids.toArray(UUID[]::new))
                .query((row, index) -> DueRow.due(row))
                .list();
    }

    /// An execution that a dispatch row names and that may be running.
    record Dispatched(Due due, WorkerBoot worker, long fence, Instant at) {}

    /// What is open in these shards, by the newest dispatch of each execution.
    static List<Dispatched> open(JdbcClient db, List<Integer> shards) {
        return db.sql(OPEN)
                .param("shards", shards.toArray(Integer[]::new))
                .query((row, index) -> new Dispatched(
                        DueRow.due(row),
                        new WorkerBoot(row.getObject("worker", UUID.class), row.getObject("boot", UUID.class)),
                        row.getLong("fence"),
                        DueRow.instant(row, "at")))
                .list();
    }

    /// A lane that holds something.
    ///
    /// @param first when its first execution is due
    record LaneStart(int shard, int lane, Instant first) {}

    static List<LaneStart> lanes(JdbcClient db, List<Integer> shards) {
        return db.sql("""
                        SELECT s.id AS shard, lane.n AS lane, first.due_at
                          FROM unnest(:shards::int[]) AS s(id) CROSS JOIN generate_series(0, 63) AS lane(n)
                         CROSS JOIN LATERAL (SELECT e.due_at FROM scheduler.execution e
                                              WHERE e.shard = s.id AND e.lane = lane.n
                                              ORDER BY e.due_at LIMIT 1) first
                        """)
                .param("shards", shards.toArray(Integer[]::new))
                .query((row, index) ->
                        new LaneStart(row.getInt("shard"), row.getInt("lane"), DueRow.instant(row, "due_at")))
                .list();
    }

    /// The last n of the newest epoch, so that a core that goes on in its epoch does not use one twice.
    static long lastN(JdbcClient db, int shard, long epoch) {
        return db.sql("SELECT coalesce(max(n), 0) FROM scheduler.dispatch WHERE shard = :shard AND epoch = :epoch")
                .param("shard", shard)
                .param("epoch", epoch)
                .query(Long.class)
                .single();
    }

    /// A row of the inbox.
    ///
    /// @param xid  the transaction that wrote it
    /// @param lanes of what was created; 0 for all else
    /// @param due  the earliest of what was created; of a patch the fire that it promises, if any
    /// @param ref  whom a command means, or a dependent to look at; null for news of creation
    /// @param namespace of `ref`
    record InboxRow(
            int shard,
            long xid,
            long seq,
            Kind kind,
            long lanes,
            @Nullable Instant due,
            @Nullable UUID ref,
            int namespace,
            long changeSeq) {}

    /// Commands that are not yet carried out, in their order.
    static List<InboxRow> commands(JdbcClient db, Collection<Integer> shards) {
        return db.sql("""
                        SELECT shard, xid::text::bigint AS xid, seq, kind, 0 AS lanes, due, ref,
                               namespace, change_seq
                          FROM scheduler.inbox
                         WHERE shard = ANY (:shards::int[]) AND change_seq IS NOT NULL
                         ORDER BY shard, change_seq
                        """)
                .param("shards", shards.toArray(Integer[]::new))
                .query((row, index) -> inbox(row))
                .list();
    }

    /// News since a moment: of creation, and of dependents to look at. A transaction that began later may be over
    /// before one that began earlier: what is told is what those wrote that ran at the time, and what began since.
    static List<InboxRow> news(JdbcClient db, List<NewsFrom> from) {
        var columns = new Columns<>(from)
                .add("shards", new Integer[0], NewsFrom::shard)
                .add("nexts", new String[0], news -> news.since.nextText())
                .add("runnings", new String[0], news -> news.since.runningText());
        return db.sql("""
                        SELECT i.shard, i.xid::text::bigint AS xid, i.seq, i.kind, i.lanes, i.due, i.ref,
                               0 AS namespace, 0 AS change_seq
                          FROM unnest(:shards::int[], :nexts::text[], :runnings::text[]) AS f(shard, next, running)
                         CROSS JOIN LATERAL (
                           SELECT n.* FROM scheduler.inbox n WHERE n.shard = f.shard AND n.xid >= f.next::xid8
                           UNION ALL
                           SELECT n.* FROM scheduler.inbox n
                            WHERE n.shard = f.shard AND n.xid = ANY (string_to_array(f.running, ',')::xid8[])
                         ) i
                         WHERE i.kind IN (1, 10)
                        """)
                .params(columns.arrays())
                .query((row, index) -> inbox(row))
                .list();
    }

    /// Where reading of news goes on.
    ///
    /// @param since what those wrote that were over then has been read
    record NewsFrom(int shard, Snapshot since) {}

    static Instant clock(JdbcClient db) {
        return db.sql("SELECT clock_timestamp() AS at")
                .query((row, index) -> DueRow.instant(row, "at"))
                .single();
    }

    static Snapshot snapshot(JdbcClient db) {
        return Snapshot.of(
                db.sql("SELECT pg_current_snapshot()::text").query(String.class).single());
    }

    private static InboxRow inbox(ResultSet row) throws SQLException {
        return new InboxRow(
                row.getInt("shard"),
                row.getLong("xid"),
                row.getLong("seq"),
                Coded.of(Kind.class, row.getInt("kind")),
                row.getLong("lanes"),
                row.getTimestamp("due") == null ? null : DueRow.instant(row, "due"),
                row.getObject("ref", UUID.class),
                row.getInt("namespace"),
                row.getLong("change_seq"));
    }

    /// What became of an execution whose result nobody here waits for.
    ///
    /// @param ended whether it is over
    /// @param fence of the attempt that ended it, or its fence_min while it is open in somebody's shard
    record Fate(UUID id, boolean ended, long fence) {}

    static List<Fate> fates(JdbcClient db, Collection<UUID> ids) {
        return db.sql("""
                        SELECT h.id, true AS ended, h.fence FROM scheduler.history h WHERE h.id = ANY (:ids::uuid[])
                        UNION ALL
                        SELECT e.id, false, e.fence_min FROM scheduler.shard s
                          JOIN scheduler.execution e ON e.shard = s.id AND e.id = ANY (:ids::uuid[])
                        """)
                .param("ids", ids.toArray(UUID[]::new))
                .query((row, index) ->
                        new Fate(row.getObject("id", UUID.class), row.getBoolean("ended"), row.getLong("fence")))
                .list();
    }

    /// Who owns a shard by now, and the newest command in it.
    record ShardRow(int id, @Nullable UUID owner, long epoch, long changeSeq) {}

    static List<ShardRow> shards(JdbcClient db, Collection<Integer> shards) {
        return db.sql("SELECT id, owner, epoch, change_seq FROM scheduler.shard WHERE id = ANY (:shards::int[])")
                .param("shards", shards.toArray(Integer[]::new))
                .query((row, index) -> new ShardRow(
                        row.getInt("id"),
                        row.getObject("owner", UUID.class),
                        row.getLong("epoch"),
                        row.getLong("change_seq")))
                .list();
    }

    /// Sealed payloads that lie apart from their tasks.
    static List<Stored> payloads(JdbcClient db, List<TaskFacts> tasks) {
        var columns = new Columns<>(tasks)
                .add("namespaces", new Integer[0], TaskFacts::namespace)
                .add("ids", new UUID[0], TaskFacts::id)
                .add("versions", new Integer[0], TaskFacts::payloadVersion);
        return db.sql("""
                        SELECT p.task_id, p.version, p.sealed
                          FROM unnest(:namespaces::int[], :ids::uuid[], :versions::int[]) AS v(namespace, id, version)
                          JOIN scheduler.payload p
                            ON p.namespace = v.namespace AND p.task_id = v.id AND p.version = v.version
                        """)
                .params(columns.arrays())
                .query((row, index) ->
                        new Stored(row.getObject("task_id", UUID.class), row.getInt("version"), row.getBytes("sealed")))
                .list();
    }

    /// A sealed payload.
    record Stored(UUID task, int version, byte[] sealed) {}
}
