package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.task.Columns;
import java.io.ByteArrayOutputStream;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The statements by which the owner of shards changes executions. Each is one autocommit statement that begins
/// with the fence of [Owned], and each answers which shards passed it.
///
/// The statement text repeats the fence because a statement is read where it runs.
final class OwnerWrites {
    private OwnerWrites() {}

    /// A new line of the recovery log.
    ///
    /// @param n      of the shard's epoch
    /// @param low    oldest n of the epoch that is still open
    /// @param event  framed audit event; empty for what is only listed again
    record Line(int shard, long n, long low, WorkerBoot worker, UUID execution, int attempt, byte[] event) {}

    /// Commits dispatches. A shard with a command that is not carried out does not pass.
    ///
    /// @param by the latest time of their rows, at which none passes any more; null for any
    /// @return shards that passed
    static Set<Integer> dispatch(JdbcClient db, Owned owned, List<Line> lines, @Nullable Instant by) {
        return Set.copyOf(db.sql("""
                        WITH l AS MATERIALIZED (
                          SELECT s.id, s.epoch FROM scheduler.shard s
                            JOIN unnest(:myShards::int[], :myEpochs::bigint[], :myChanges::bigint[])
                                 AS mine(id, epoch, change_seq) ON mine.id = s.id
                           WHERE s.owner = :me AND s.epoch = mine.epoch AND s.change_seq = mine.change_seq
                             FOR SHARE OF s
                        ), t AS MATERIALIZED (
                          SELECT clock_timestamp() AS at FROM (SELECT count(*) FROM l) locked
                        ), s AS MATERIALIZED (
                          SELECT l.id, l.epoch, t.at FROM l CROSS JOIN t
                           WHERE :by::timestamptz IS NULL OR t.at < :by::timestamptz
                        ), v AS (
                          SELECT v.*, s.epoch, s.at
                            FROM unnest(:shards::int[], :ns::bigint[], :lows::bigint[], :workers::uuid[],
                                        :boots::uuid[], :firsts::int[], :lasts::int[], :events::bytea[])
                                 WITH ORDINALITY AS v(shard, n, low, worker, boot, first, last, events, place)
                            JOIN s ON s.id = v.shard
                        ), d AS (
                          INSERT INTO scheduler.dispatch (shard, epoch, n, low, worker, boot, at, executions, attempts)
                          SELECT shard, epoch, n, low, worker, boot, at, (:executions::uuid[])[first : last],
                                 (:attempts::smallint[])[first : last]
                            FROM v
                        ), o AS (
                          INSERT INTO scheduler.outbox (n, events)
                          SELECT sum(last - first + 1), string_agg(events, ''::bytea ORDER BY place)
                            FROM v HAVING count(*) > 0
                        )
                        SELECT id FROM s
                        """)
                .params(owned.parameters())
                .params(parameters(lines))
                .param("by", by == null ? null : by.toString(), Types.VARCHAR)
                .query(Integer.class)
                .list());
    }

    /// Lists again what is open, so that recovery need not look far back. It is no new dispatch: the worker
    /// goes on under the fence it has.
    ///
    /// @return shards that passed
    static Set<Integer> list(JdbcClient db, Owned owned, List<Line> lines) {
        return Set.copyOf(db.sql("""
                        WITH s AS MATERIALIZED (
                          SELECT s.id, s.epoch FROM scheduler.shard s
                            JOIN unnest(:myShards::int[], :myEpochs::bigint[]) AS mine(id, epoch) ON mine.id = s.id
                           WHERE s.owner = :me AND s.epoch = mine.epoch
                             FOR SHARE OF s
                        ), v AS (
                          SELECT v.*, s.epoch
                            FROM unnest(:shards::int[], :ns::bigint[], :lows::bigint[], :workers::uuid[],
                                        :boots::uuid[], :firsts::int[], :lasts::int[])
                                 AS v(shard, n, low, worker, boot, first, last)
                            JOIN s ON s.id = v.shard
                        ), d AS (
                          INSERT INTO scheduler.dispatch (shard, epoch, n, low, worker, boot, executions, attempts)
                          SELECT shard, epoch, n, low, worker, boot, (:executions::uuid[])[first : last],
                                 (:attempts::smallint[])[first : last]
                            FROM v
                        )
                        SELECT id FROM s
                        """)
                .params(owned.parameters())
                .params(parameters(lines))
                .query(Integer.class)
                .list());
    }

    /// One row for each line of the log: its executions stand side by side in arrays of all.
    private static Map<String, Object> parameters(List<Line> lines) {
        record Row(int shard, long n, WorkerBoot worker) {}
        record Slice(Line line, int first, int last, byte[] events) {}
        var rows = new LinkedHashMap<Row, List<Line>>();
        lines.forEach(line -> rows.computeIfAbsent(new Row(line.shard, line.n, line.worker), row -> new ArrayList<>())
                .add(line));
        var slices = new ArrayList<Slice>(rows.size());
        var all = new ArrayList<Line>(lines.size());
        for (List<Line> row : rows.values()) {
            var events = new ByteArrayOutputStream();
            row.forEach(line -> events.writeBytes(line.event));
            slices.add(new Slice(row.getFirst(), all.size() + 1, all.size() + row.size(), events.toByteArray()));
            all.addAll(row);
        }
        var parameters = new Columns<>(slices)
                .add("shards", new Integer[0], slice -> slice.line.shard)
                .add("ns", new Long[0], slice -> slice.line.n)
                .add("lows", new Long[0], slice -> slice.line.low)
                .add("workers", new UUID[0], slice -> slice.line.worker.worker())
                .add("boots", new UUID[0], slice -> slice.line.worker.boot())
                .add("firsts", new Integer[0], Slice::first)
                .add("lasts", new Integer[0], Slice::last)
                .add("events", new byte[0][], Slice::events)
                .arrays();
        parameters.putAll(new Columns<>(all)
                .add("executions", new UUID[0], Line::execution)
                .add("attempts", new Integer[0], Line::attempt)
                .arrays());
        return parameters;
    }

    /// An execution that is to run again.
    ///
    /// @param fence    its newest dispatch; everything up to it becomes stale
    /// @param attempts that were used up
    /// @param losses   of workers
    /// @param delay    from now; null when it keeps its due time
    /// @param events   framed
    /// @param count    of events
    record Requeue(
            Due due,
            long fence,
            int attempts,
            int losses,
            @Nullable Duration delay,
            byte[] events,
            int count) {}

    /// Puts executions back: `fence_min` rises above the dispatch that is over, so nothing that comes from it
    /// counts any more. They are dispatched like new ones.
    static List<Requeued> requeue(JdbcClient db, Owned owned, List<Requeue> requeues) {
        return db.sql("""
                        WITH s AS MATERIALIZED (
                          SELECT s.id FROM scheduler.shard s
                            JOIN unnest(:myShards::int[], :myEpochs::bigint[]) AS mine(id, epoch) ON mine.id = s.id
                           WHERE s.owner = :me AND s.epoch = mine.epoch
                             FOR SHARE OF s
                        ), v AS (
                          SELECT v.* FROM unnest(:shards::int[], :ids::uuid[], :fences::bigint[], :attempts::smallint[],
                                   :losses::smallint[], :delays::bigint[], :events::bytea[], :counts::int[])
                              AS v(shard, id, fence, attempts, losses, delay, events, count)
                            JOIN s ON s.id = v.shard
                        ), u AS (
                          UPDATE scheduler.execution e
                             SET fence_min = v.fence + 1,
                                 attempt = e.attempt + v.attempts,
                                 losses = e.losses + v.losses,
                                 due_at = coalesce(clock_timestamp() + v.delay * interval '1 millisecond', e.due_at)
                            FROM v CROSS JOIN LATERAL (
                                   SELECT x.ctid AS place FROM scheduler.execution x
                                    WHERE x.shard = v.shard AND x.id = v.id AND x.fence_min <= v.fence
                                   OFFSET 0
                                 ) x
                           WHERE e.ctid = x.place
                          RETURNING e.shard, e.id, e.lane, e.due_at, v.events, v.count
                        ), o AS (
                          INSERT INTO scheduler.outbox (n, events)
                          SELECT sum(count), string_agg(events, ''::bytea) FROM u HAVING count(*) > 0
                        )
                        SELECT s.id AS shard, u.id, coalesce(u.lane, 0) AS lane, u.due_at
                          FROM s LEFT JOIN u ON u.shard = s.id
                        """)
                .params(owned.parameters())
                .params(new Columns<>(requeues)
                        .add("shards", new Integer[0], requeue -> requeue.due.shard())
                        .add("ids", new UUID[0], requeue -> requeue.due.id())
                        .add("fences", new Long[0], Requeue::fence)
                        .add("attempts", new Integer[0], Requeue::attempts)
                        .add("losses", new Integer[0], Requeue::losses)
                        .add("delays", new Long[0], requeue -> requeue.delay == null ? null : requeue.delay.toMillis())
                        .add("events", new byte[0][], Requeue::events)
                        .add("counts", new Integer[0], Requeue::count)
                        .arrays())
                .query((row, index) -> new Requeued(
                        row.getInt("shard"),
                        row.getObject("id", UUID.class),
                        row.getInt("lane"),
                        row.getObject("id") == null ? null : DueRow.instant(row, "due_at")))
                .list();
    }

    /// An execution that lies in its queue again, or only a shard that passed when `id` is null.
    record Requeued(
            int shard,
            @Nullable UUID id,
            int lane,
            @Nullable Instant dueAt) {}
}
