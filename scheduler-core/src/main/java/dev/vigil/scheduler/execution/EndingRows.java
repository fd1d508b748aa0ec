package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.task.Columns;
import dev.vigil.scheduler.task.Commands.Kind;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The statement by which the owner of shards ends executions.
final class EndingRows {
    private static final String CLOSE = """
            WITH p AS NOT MATERIALIZED (
              SELECT :ids::uuid[] AS ids, :startedAts::timestamptz[] AS started_ats,
                     :durations::bigint[] AS durations, :results::bytea[] AS results,
                     :events::bytea AS events, :n::int AS n
            ), s AS MATERIALIZED (
              SELECT s.id FROM scheduler.shard s
                JOIN unnest(:myShards::int[], :myEpochs::bigint[]) AS mine(id, epoch) ON mine.id = s.id
               WHERE s.owner = :me AND s.epoch = mine.epoch
                 FOR SHARE OF s
            ), v AS (
              SELECT k.*, e.id, e.started_at, e.duration_ms, e.result, k.first + e.place - 1 AS place
                FROM p
               CROSS JOIN unnest(:shards::int[], :states::smallint[], :fences::bigint[],
                       :attempts::smallint[], :workers::uuid[], :codes::text[], :uploads::boolean[],
                       :owners::uuid[], :handlers::text[], :keyIds::uuid[], :payloadVersions::int[],
                       :onces::boolean[], :firsts::int[], :lasts::int[])
                  AS k(shard, state, fence, attempt, worker, code, uploaded, owner, handler, key_id,
                       payload_version, once, first, last)
                JOIN s ON s.id = k.shard
               CROSS JOIN LATERAL unnest(p.ids[k.first : k.last], p.started_ats[k.first : k.last],
                       p.durations[k.first : k.last], p.results[k.first : k.last])
                     WITH ORDINALITY AS e(id, started_at, duration_ms, result, place)
            ), d AS (
              DELETE FROM scheduler.execution e
               USING v CROSS JOIN LATERAL (
                       SELECT x.ctid AS place FROM scheduler.execution x
                        WHERE x.shard = v.shard AND x.id = v.id AND x.fence_min <= v.fence
                       OFFSET 0
                     ) x
               WHERE e.ctid = x.place
              RETURNING e.namespace, e.task_id, e.version, e.scheduled_for, e.losses, v.*
            ), h AS (
              INSERT INTO scheduler.history
                     (namespace, version, id, task_id, owner, worker, fence, scheduled_for, started_at,
                      duration_ms, payload_version, shard, state, attempt, losses, uploaded, key_id,
                      handler, code, result)
              SELECT namespace, version, id, task_id, owner, worker, fence, scheduled_for, started_at,
                     duration_ms, payload_version, shard, state, attempt, losses, uploaded, key_id,
                     handler, code, result
                FROM d
            ), q AS (
              INSERT INTO scheduler.quota_freed (namespace, owner, n)
              SELECT f.namespace, f.owner, f.n
                FROM (SELECT namespace, owner, count(*) AS n FROM d
                       WHERE once AND id = task_id GROUP BY namespace, owner) f
                JOIN scheduler.quota q ON q.namespace = f.namespace AND q.owner = f.owner
            ), w AS MATERIALIZED (
              SELECT w.* FROM p JOIN scheduler.dependency w ON w.predecessor = ANY (p.ids)
            ), r AS (
              INSERT INTO scheduler.inbox (shard, kind, namespace, ref)
              SELECT w.shard, :release, w.namespace, w.dependent FROM w JOIN d ON d.id = w.predecessor
              RETURNING shard
            ), o AS (
              INSERT INTO scheduler.outbox (n, events)
              SELECT p.n, p.events FROM p WHERE (SELECT count(*) FROM d) = cardinality(p.ids)
               UNION ALL
              SELECT sum(x.n), string_agg(substring(p.events FROM x.at FOR x.length), ''::bytea ORDER BY place)
                FROM p
               CROSS JOIN unnest(:counts::int[], :ats::int[], :lengths::int[])
                     WITH ORDINALITY AS x(n, at, length, place)
                JOIN d USING (place)
               WHERE (SELECT count(*) FROM d) < cardinality(p.ids)
              HAVING count(*) > 0
            )
            SELECT id AS shard, NULL::uuid AS missed, NULL::int AS dependents FROM s
             UNION ALL
            SELECT NULL, id, NULL FROM p CROSS JOIN unnest(p.ids) AS id
             WHERE (SELECT count(*) FROM d) < cardinality(p.ids) AND id NOT IN (SELECT id FROM d)
             UNION ALL
            SELECT NULL, NULL, shard FROM r
            """;

    private EndingRows() {}

    /// An execution that ends.
    ///
    /// @param fence     of the attempt that ended it; its own fence_min when none did
    /// @param attempt   attempts it had, this one included
    /// @param worker    who ran it; null when nobody did
    /// @param startedAt null when it never ran
    /// @param duration  null when it never ran
    /// @param events    framed
    /// @param count     of events
    record Ending(
            Due due,
            State state,
            long fence,
            int attempt,
            @Nullable UUID worker,
            @Nullable Instant startedAt,
            @Nullable Duration duration,
            @Nullable String code,
            byte @Nullable [] result,
            boolean uploaded,
            byte[] events,
            int count) {}

    /// What a statement reached.
    ///
    /// @param shards that passed the fence
    /// @param ids    of the executions that were changed; those of passed shards that are missing were not
    ///               there, or the fence given was stale
    /// @param dependents shards in which something waited for one of them
    record Reached(Set<Integer> shards, Set<UUID> ids, Set<Integer> dependents) {
        static final Reached NOTHING = new Reached(Set.of(), Set.of(), Set.of());
    }

    /// Ends executions: the row goes, a history row comes, the audit events of just these are stored, and a
    /// finished one_time task makes room in its owner's quota.
    ///
    /// Rows are found one by one and then gone to where they lie: for a table that was small when it was planned,
    /// a join may go through all of it for each. What ends has most in common with its neighbours, which comes
    /// once for each slice of them. As a rule all are found; then their events are stored as they came, and nothing
    /// is answered but the shards.
    static Reached close(JdbcClient db, Owned owned, List<Ending> endings) {
        List<Hit> hits = db.sql(CLOSE)
                .params(owned.parameters())
                .params(parameters(endings))
                .param("release", Kind.RELEASE.code())
                .query((row, index) -> new Hit(
                        row.getObject(1, Integer.class), row.getObject(2, UUID.class), row.getObject(3, Integer.class)))
                .list();
        Set<Integer> passed = set(hits, Hit::shard);
        Set<UUID> missed = set(hits, Hit::missed);
        var reached = new HashSet<UUID>();
        for (Ending ending : endings) {
            if (passed.contains(ending.due.shard()) && !missed.contains(ending.due.id())) {
                reached.add(ending.due.id());
            }
        }
        return new Reached(passed, reached, set(hits, Hit::dependents));
    }

    /// One row for each slice of endings that have all but their own identity and times in common.
    private static Map<String, Object> parameters(List<Ending> endings) {
        var slices = new LinkedHashMap<Common, List<Ending>>();
        endings.forEach(ending -> slices.computeIfAbsent(Common.of(ending), any -> new ArrayList<>())
                .add(ending));
        var kinds = new ArrayList<Slice>(slices.size());
        var all = new ArrayList<Ending>(endings.size());
        slices.forEach((common, alike) -> {
            kinds.add(new Slice(common, all.size() + 1, all.size() + alike.size()));
            all.addAll(alike);
        });
        var events = new ByteArrayOutputStream();
        var ats = new Integer[all.size()];
        int n = 0;
        for (int i = 0; i < ats.length; i++) {
            Ending ending = all.get(i);
            ats[i] = events.size() + 1;
            events.writeBytes(ending.events);
            n += ending.count;
        }
        boolean anyResult = all.stream().anyMatch(ending -> ending.result != null);
        var parameters = new Columns<>(all)
                .add("ids", new UUID[0], ending -> ending.due.id())
                .add("startedAts", new Instant[0], Ending::startedAt)
                .add("durations", new Long[0], ending -> ending.duration == null ? null : ending.duration.toMillis())
                .add("counts", new Integer[0], Ending::count)
                .add("lengths", new Integer[0], ending -> ending.events.length)
                .arrays();
        parameters.putAll(new Columns<>(anyResult ? all : List.<Ending>of())
                .add("results", new byte[0][], Ending::result)
                .arrays());
        parameters.putAll(slices(kinds).arrays());
        parameters.put("ats", ats);
        parameters.put("events", events.toByteArray());
        parameters.put("n", n);
        return parameters;
    }

    private static Columns<Slice> slices(List<Slice> slices) {
        return new Columns<>(slices)
                .add("shards", new Integer[0], slice -> slice.common.shard)
                .add("states", new Integer[0], slice -> slice.common.state.code())
                .add("fences", new Long[0], slice -> slice.common.fence)
                .add("attempts", new Integer[0], slice -> slice.common.attempt)
                .add("workers", new UUID[0], slice -> slice.common.worker)
                .add("codes", new String[0], slice -> slice.common.code)
                .add("uploads", new Boolean[0], slice -> slice.common.uploaded)
                .add("owners", new UUID[0], slice -> slice.common.owner)
                .add("handlers", new String[0], slice -> slice.common.handler)
                .add("keyIds", new UUID[0], slice -> slice.common.keyId)
                .add("payloadVersions", new Integer[0], slice -> slice.common.payloadVersion)
                .add("onces", new Boolean[0], slice -> slice.common.once)
                .add("firsts", new Integer[0], Slice::first)
                .add("lasts", new Integer[0], Slice::last);
    }

    /// What endings of one dispatch and one kind of task have in common.
    private record Common(
            int shard,
            State state,
            long fence,
            int attempt,
            @Nullable UUID worker,
            @Nullable String code,
            boolean uploaded,
            UUID owner,
            String handler,
            UUID keyId,
            int payloadVersion,
            boolean once) {
        static Common of(Ending ending) {
            TaskFacts task = ending.due.task();
            return new Common(
                    ending.due.shard(),
                    ending.state,
                    ending.fence,
                    ending.attempt,
                    ending.worker,
                    ending.code,
                    ending.uploaded,
                    task.owner(),
                    task.handler(),
                    task.keyId(),
                    task.payloadVersion(),
                    task.once());
        }
    }

    /// Places of the endings that have these in common, counted from 1.
    private record Slice(Common common, int first, int last) {}

    private static <T> Set<T> set(List<Hit> hits, Function<Hit, @Nullable T> part) {
        var set = new HashSet<T>();
        for (Hit hit : hits) {
            T found = part.apply(hit);
            if (found != null) {
                set.add(found);
            }
        }
        return Set.copyOf(set);
    }

    private record Hit(
            @Nullable Integer shard,
            @Nullable UUID missed,
            @Nullable Integer dependents) {}
}
