package dev.vigil.scheduler.task;

import dev.vigil.scheduler.task.Commands.Kind;
import dev.vigil.scheduler.task.PatchResult.Absent;
import dev.vigil.scheduler.task.PatchResult.Finished;
import dev.vigil.scheduler.task.PatchResult.Patched;
import dev.vigil.scheduler.task.PatchResult.Stale;
import java.sql.Types;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// Stores the next version of a task and the command that makes its shard's owner go by it. Runs in the caller's
/// transaction, which holds the shard's row: so no deletion comes between what is read and what is stored.
final class TaskVersions {
    private static final String INSERT = """
            WITH v AS (
              SELECT * FROM unnest(:kinds::smallint[], :priorities::smallint[], :names::text[], :handlers::text[],
                                   :timeouts::int[], :maxAttempts::smallint[], :backoffs::smallint[],
                                   :retryInitials::int[], :retryMaxes::int[], :misfires::smallint[],
                                   :misfireLimits::smallint[], :overlaps::smallint[], :jitters::bigint[],
                                   :labels::jsonb[], :ats::timestamptz[], :crons::text[], :zones::text[],
                                   :onGaps::smallint[], :onOverlaps::smallint[], :everies::bigint[],
                                   :anchors::timestamptz[])
                AS v(kind, priority, name, handler, timeout_ms, max_attempts, backoff, retry_initial_ms, retry_max_ms,
                     misfire, misfire_limit, overlap, jitter_ms, labels, at, cron, zone, on_gap, on_overlap, every_ms,
                     anchor)
            ), p AS (
              INSERT INTO scheduler.payload (namespace, task_id, version, sealed)
              SELECT :namespace, :id, :payloadVersion::int, :big::bytea WHERE :big::bytea IS NOT NULL
            ), s AS (
              UPDATE scheduler.shard SET change_seq = change_seq + 1 WHERE id = :shard RETURNING id, change_seq
            ), i AS (
              INSERT INTO scheduler.inbox (shard, kind, change_seq, namespace, ref, due)
              SELECT id, :kind, change_seq, :namespace, :id, :due::timestamptz FROM s
            ), o AS (
              INSERT INTO scheduler.outbox (n, events) VALUES (:n, :events)
            )
            INSERT INTO scheduler.task
                   (namespace, id, version, owner, shard, created_at, kind, priority, name, handler, timeout_ms,
                    max_attempts, backoff, retry_initial_ms, retry_max_ms, misfire, misfire_limit, overlap, jitter_ms,
                    labels, at, cron, zone, on_gap, on_overlap, every_ms, anchor, key_id, payload_version,
                    payload_bytes, payload, subject_index, subject, refs, after_ids)
            SELECT b.namespace, b.id, b.version + 1, b.owner, b.shard, b.created_at, v.kind, v.priority, v.name,
                   v.handler, v.timeout_ms, v.max_attempts, v.backoff, v.retry_initial_ms, v.retry_max_ms, v.misfire,
                   v.misfire_limit, v.overlap, v.jitter_ms, v.labels, v.at, v.cron, v.zone, v.on_gap, v.on_overlap,
                   v.every_ms, v.anchor, coalesce(:keyId::uuid, b.key_id),
                   coalesce(:payloadVersion::int, b.payload_version), coalesce(:size::int, b.payload_bytes),
                   CASE WHEN :keyId::uuid IS NULL THEN b.payload ELSE :inline::bytea END, b.subject_index, b.subject,
                   CASE WHEN :keyId::uuid IS NULL THEN b.refs ELSE string_to_array(:refs::text, ' ') END,
                   b.after_ids
              FROM scheduler.task b CROSS JOIN v
             WHERE b.namespace = :namespace AND b.id = :id AND b.version = :version
            """;

    private final JdbcClient db;

    TaskVersions(JdbcClient db) {
        this.db = db;
    }

    /// Stores it, or says why not, and then has changed nothing.
    ///
    /// @param shard whose row the caller has locked
    PatchResult store(Patch patch, TaskView before, int shard, Instant now) {
        if (before.state() == TaskView.State.FINISHED) {
            return new Finished();
        }
        if (before.version() != patch.version()) {
            return new Stale(before.version());
        }
        TaskDraft draft = patch.draft().anchored(now);
        Optional<PatchResult.Refused> refused = refusal(draft, before.draft(), now);
        if (refused.isPresent()) {
            return refused.get();
        }
        insert(new Planned(patch, draft, before, due(draft, before.draft(), now)), shard);
        return db.sql(TaskQuery.SELECT + " AND t.id = :id")
                .params(TaskQuery.CODES)
                .param("id", before.id())
                .query(TaskRow::view)
                .optional()
                .<PatchResult>map(Patched::new)
                .orElseGet(Absent::new);
    }

    private static Optional<PatchResult.Refused> refusal(TaskDraft draft, TaskDraft before, Instant now) {
        if (!draft.schedule().type().equals(before.schedule().type())) {
            return Optional.of(new PatchResult.Refused(
                    "/schedule/type",
                    "immutable",
                    "the type of a schedule cannot change",
                    "keep " + before.schedule().type() + ", or create another task"));
        }
        return Refusals.of(draft, now)
                .map(no -> new PatchResult.Refused(no.pointer(), no.code(), no.detail(), no.hint()));
    }

    /// When the task fires next by a changed schedule.
    ///
    /// @return null when the schedule stays
    private static @Nullable Instant due(TaskDraft draft, TaskDraft before, Instant now) {
        if (draft.schedule().equals(before.schedule())) {
            return null;
        }
        if (draft.schedule() instanceof Schedule.OneTime(Instant at)) {
            return at == null || at.isBefore(now) ? now : at;
        }
        return Fires.next(draft.schedule(), now).orElse(null);
    }

    private void insert(Planned planned, int shard) {
        TaskDraft.Sealed payload = planned.patch.payload();
        int payloadVersion = planned.before.payloadVersion() + 1;
        boolean moved = !planned.draft.handler().equals(planned.before.draft().handler());
        if (payload == null ? moved : payload.version() != payloadVersion) {
            throw new IllegalArgumentException(
                    "a change of payload or handler comes with a payload sealed as version " + payloadVersion);
        }
        byte[] sealed = payload == null ? null : payload.sealed();
        boolean inline = sealed != null && sealed.length <= TaskInsert.INLINE_BYTES_MAX;
        var columns = new Columns<>(List.of(planned.draft));
        DraftColumns.add(columns, draft -> draft);
        db.sql(INSERT)
                .params(columns.arrays())
                .param("namespace", planned.before.namespace())
                .param("id", planned.before.id())
                .param("version", planned.before.version())
                .param("shard", shard)
                .param("kind", Kind.PATCH.code())
                .param("refs", payload == null ? null : TaskInsert.references(payload), Types.VARCHAR)
                .param("due", DraftColumns.text(planned.due))
                .param("keyId", payload == null ? null : payload.keyId())
                .param("payloadVersion", payload == null ? null : payload.version())
                .param("size", sealed == null ? null : sealed.length)
                .param("inline", inline ? sealed : null)
                .param("big", inline ? null : sealed)
                .param("n", planned.patch.events().count())
                .param("events", planned.patch.events().framed())
                .update();
    }

    /// @param due when the task fires next; null when its schedule stays
    private record Planned(
            Patch patch,
            TaskDraft draft,
            TaskView before,
            @Nullable Instant due) {}
}
