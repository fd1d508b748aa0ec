package dev.vigil.scheduler.task;

import dev.vigil.scheduler.task.Commands.Kind;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The statement that creates tasks: each with its first execution or its schedule, one inbox row per shard, one outbox
/// row for all, in one commit. Most batches hold one_time tasks with small payloads and nothing else, which have
/// statements of their own ([PlainInsert]).
final class TaskInsert {
    /// Largest sealed payload that lies in the task's own row.
    static final int INLINE_BYTES_MAX = 2048;

    private static final String CREATE = """
            WITH v AS (
              SELECT * FROM unnest(:ids::uuid[], :namespaces::int[], :owners::uuid[], :shards::int[], :lanes::smallint[],
                                   :kinds::smallint[], :priorities::smallint[], :names::text[], :handlers::text[],
                                   :timeouts::int[], :maxAttempts::smallint[], :backoffs::smallint[],
                                   :retryInitials::int[], :retryMaxes::int[], :misfires::smallint[],
                                   :misfireLimits::smallint[], :overlaps::smallint[], :jitters::bigint[],
                                   :labels::jsonb[], :ats::timestamptz[], :crons::text[], :zones::text[], :onGaps::smallint[],
                                   :onOverlaps::smallint[], :everies::bigint[], :anchors::timestamptz[],
                                   :nexts::timestamptz[], :keyIds::uuid[], :sizes::int[], :inlines::bytea[],
                                   :bigs::bytea[], :subjectIndexes::bytea[], :subjects::bytea[], :refs::text[],
                                   :afters::text[],
                                   :eventCounts::int[], :events::bytea[])
                AS v(id, namespace, owner, shard, lane, kind, priority, name, handler, timeout_ms, max_attempts, backoff,
                     retry_initial_ms, retry_max_ms, misfire, misfire_limit, overlap, jitter_ms, labels, at, cron, zone,
                     on_gap, on_overlap, every_ms, anchor, next_at, key_id, size, inline, big, subject_index, subject,
                     refs, after, event_count, events)
            ), t AS (
              INSERT INTO scheduler.task
                     (namespace, id, version, owner, shard, kind, priority, name, handler, timeout_ms, max_attempts,
                      backoff, retry_initial_ms, retry_max_ms, misfire, misfire_limit, overlap, jitter_ms, labels, at,
                      cron, zone, on_gap, on_overlap, every_ms, anchor, key_id, payload_version, payload_bytes, payload,
                      subject_index, subject, refs, after_ids)
              SELECT namespace, id, 1, owner, shard, kind, priority, name, handler, timeout_ms, max_attempts,
                     backoff, retry_initial_ms, retry_max_ms, misfire, misfire_limit, overlap, jitter_ms, labels, at,
                     cron, zone, on_gap, on_overlap, every_ms, anchor, key_id, 1, size, inline, subject_index, subject,
                     string_to_array(refs, ' '), string_to_array(after, ' ')::uuid[]
                FROM v
                  ON CONFLICT DO NOTHING
              RETURNING namespace, id, created_at
            ), p AS (
              INSERT INTO scheduler.payload (namespace, task_id, version, sealed)
              SELECT namespace, id, 1, big FROM v JOIN t USING (namespace, id) WHERE big IS NOT NULL
            ), e AS (
              INSERT INTO scheduler.execution (shard, namespace, id, task_id, due_at, scheduled_for, version, lane)
              SELECT shard, namespace, id, id, greatest(at, created_at), greatest(at, created_at), 1, lane
                FROM v JOIN t USING (namespace, id) WHERE kind = 1
              RETURNING shard, id, due_at, lane
            ), c AS (
              INSERT INTO scheduler.schedule (shard, namespace, task_id, next_at, version)
              SELECT shard, namespace, id, next_at, 1 FROM v JOIN t USING (namespace, id) WHERE kind <> 1
              RETURNING shard, task_id AS id, next_at AS due_at, NULL::smallint AS lane
            ), w AS (
              INSERT INTO scheduler.dependency (predecessor, dependent, namespace, shard)
              SELECT DISTINCT p, id, namespace, shard
                FROM v JOIN t USING (namespace, id) CROSS JOIN unnest(string_to_array(v.after, ' ')::uuid[]) AS p
               WHERE v.after IS NOT NULL
              RETURNING shard, dependent, namespace
            ), news AS (
              SELECT * FROM e UNION ALL SELECT * FROM c
            ), i AS (
              INSERT INTO scheduler.inbox (shard, kind, lanes, due, namespace, ref)
              SELECT shard, 1, coalesce(bit_or(1::bigint << lane) FILTER (WHERE lane >= 0), 0), min(due_at), NULL::int,
                     NULL::uuid
                FROM news GROUP BY shard
              UNION ALL
              SELECT DISTINCT shard, :release, NULL::bigint, NULL::timestamptz, namespace, dependent FROM w
            ), o AS (
              INSERT INTO scheduler.outbox (n, events)
              SELECT sum(event_count), string_agg(v.events, ''::bytea) FROM v JOIN t USING (namespace, id)
              HAVING count(*) > 0
            )
            SELECT t.id, t.created_at, news.due_at FROM t JOIN news USING (id)
            """;

    private final JdbcClient db;

    TaskInsert(JdbcClient db) {
        this.db = db;
    }

    /// Creates all of them, or throws and creates none. What was there before stays as it was.
    ///
    /// @return in the order of the tasks: the new row, or nothing for an id that was there before
    List<@Nullable Row> insert(List<Planned> tasks) {
        if (tasks.stream().allMatch(Planned::isPlain)) {
            return PlainInsert.insert(db, tasks);
        }
        var columns = new Columns<>(tasks);
        identity(columns);
        DraftColumns.add(columns, Planned::draft);
        extras(columns);
        var rows = new HashMap<UUID, Row>();
        db.sql(CREATE)
                .params(columns.arrays())
                .param("release", Kind.RELEASE.code())
                .query((result, index) -> row(result))
                .list()
                .forEach(row -> rows.put(row.id, row));
        return tasks.stream()
                .<@Nullable Row>map(task -> rows.remove(task.task.id()))
                .toList();
    }

    private static Row row(ResultSet result) throws SQLException {
        return new Row(
                result.getObject(1, UUID.class),
                result.getObject(2, OffsetDateTime.class).toInstant(),
                result.getObject(3, OffsetDateTime.class).toInstant());
    }

    private static void identity(Columns<Planned> columns) {
        columns.add("ids", new UUID[0], planned -> planned.task.id());
        columns.add("namespaces", new Integer[0], planned -> planned.task.namespace());
        columns.add("owners", new UUID[0], planned -> planned.task.owner());
        columns.add("shards", new Integer[0], Planned::shard);
        columns.add("lanes", new Integer[0], Planned::lane);
        columns.add(
                "eventCounts", new Integer[0], planned -> planned.task.events().count());
        columns.add("events", new byte[0][], planned -> planned.task.events().framed());
        columns.add("keyIds", new UUID[0], planned -> planned.payload().keyId());
        columns.add(
                "inlines",
                new byte[0][],
                planned -> planned.isInline() ? planned.payload().sealed() : null);
    }

    private static void extras(Columns<Planned> columns) {
        columns.add("afters", new String[0], planned -> after(planned.draft()));
        columns.add("nexts", new Instant[0], planned -> planned.nextAt);
        columns.add("sizes", new Integer[0], planned -> planned.payload().sealed().length);
        columns.add(
                "bigs",
                new byte[0][],
                planned -> planned.isInline() ? null : planned.payload().sealed());
        columns.add(
                "subjectIndexes", new byte[0][], planned -> planned.payload().subjectIndex());
        columns.add("subjects", new byte[0][], planned -> planned.payload().subject());
        columns.add("refs", new String[0], planned -> references(planned.payload()));
    }

    /// References hold no blanks; an array of arrays would have to be of one length.
    static @Nullable String references(TaskDraft.Sealed payload) {
        return payload.references().isEmpty() ? null : String.join(" ", payload.references());
    }

    private static @Nullable String after(TaskDraft draft) {
        return draft.after().isEmpty()
                ? null
                : draft.after().stream().map(UUID::toString).collect(Collectors.joining(" "));
    }

    /// A task, where it goes and when it first fires.
    ///
    /// @param nextAt of a schedule; null for a one_time task
    record Planned(NewTask task, int shard, @Nullable Instant nextAt) {
        int lane() {
            int lane = Lane.of(draft().priority(), task.namespace());
            return draft().after().isEmpty() ? lane : Lane.dependent(lane);
        }

        TaskDraft draft() {
            return task.draft();
        }

        TaskDraft.Sealed payload() {
            return task.payload();
        }

        /// Whether it has nothing but its own row and its execution's.
        boolean isPlain() {
            TaskDraft draft = draft();
            TaskDraft.Sealed payload = payload();
            return draft.schedule() instanceof Schedule.OneTime
                    && draft.after().isEmpty()
                    && draft.jitter().isZero()
                    && isInline()
                    && payload.subjectIndex() == null
                    && payload.subject() == null
                    && payload.references().isEmpty();
        }

        boolean isInline() {
            return task.payload().sealed().length <= INLINE_BYTES_MAX;
        }
    }

    /// A task that is new.
    ///
    /// @param dueAt when it first fires
    record Row(UUID id, Instant createdAt, Instant dueAt) {}
}
