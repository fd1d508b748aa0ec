package dev.vigil.scheduler.task;

import dev.vigil.scheduler.task.TaskInsert.Planned;
import dev.vigil.scheduler.task.TaskInsert.Row;
import java.io.ByteArrayOutputStream;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DuplicateKeyException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/// The statements that create one_time tasks with small payloads and nothing else, as most are.
///
/// Neighbours have most in common, so that comes once for each slice of them, and only what is a task's own by row.
/// `unnest` in the list of columns takes the arrays apart row by row; as a table it would keep a set for each first.
///
/// As a rule all tasks are new; then their events are stored as they came, and nothing is answered but when
/// that was. To look for each id first, and to mark its row until it is known to be the only one, is a sixth of
/// the statement; so the primary key is left to refuse a batch, and only one that it has refused goes task by
/// task.
final class PlainInsert {
    /// What the events of a task take up, as a rule.
    private static final int EVENT_BYTES = 160;

    private static final String MANY = """
            WITH now AS MATERIALIZED (
              SELECT clock_timestamp() AS at
            ), t AS (
              INSERT INTO scheduler.task
                     (namespace, id, version, owner, shard, kind, priority, name, handler, timeout_ms, max_attempts,
                      backoff, retry_initial_ms, retry_max_ms, misfire, misfire_limit, overlap, labels, at, key_id,
                      payload_version, payload_bytes, payload, created_at)
              SELECT v.namespace, v.id, 1, v.owner, v.shard, 1, v.priority, v.name, v.handler, v.timeout_ms,
                     v.max_attempts, v.backoff, v.retry_initial_ms, v.retry_max_ms, v.misfire, v.misfire_limit,
                     v.overlap, coalesce(v.labels::jsonb, '{}'), v.at, v.key_id, 1, octet_length(v.inline), v.inline, now.at
                FROM (SELECT s.*, unnest((:ids::uuid[])[s.first : s.last]) AS id,
                             unnest((:names::text[])[s.first : s.last]) AS name,
                             unnest((:labels::text[])[s.first : s.last]) AS labels,
                             unnest((:ats::timestamptz[])[s.first : s.last]) AS at,
                             unnest((:inlines::bytea[])[s.first : s.last]) AS inline
                        FROM unnest(:namespaces::int[], :owners::uuid[], :shards::int[], :priorities::smallint[],
                                    :handlers::text[], :timeouts::int[], :maxAttempts::smallint[],
                                    :backoffs::smallint[], :retryInitials::int[], :retryMaxes::int[],
                                    :misfires::smallint[], :misfireLimits::smallint[], :overlaps::smallint[],
                                    :keyIds::uuid[], :firsts::int[], :lasts::int[])
                          AS s(namespace, owner, shard, priority, handler, timeout_ms, max_attempts, backoff,
                               retry_initial_ms, retry_max_ms, misfire, misfire_limit, overlap, key_id, first, last)
                     ) v
               CROSS JOIN now
                  ON CONFLICT DO NOTHING
              RETURNING namespace, id, shard, priority, greatest(at, created_at) AS due_at
            ), n AS MATERIALIZED (
              SELECT count(*) = cardinality(:ids::uuid[]) AS whole FROM t
            ), l AS (
              SELECT * FROM unnest(:laneNamespaces::int[], :lanePriorities::smallint[], :lanes::smallint[])
                         AS l(namespace, priority, lane)
            ), e AS (
              INSERT INTO scheduler.execution (shard, namespace, id, task_id, due_at, scheduled_for, version, lane)
              SELECT t.shard, t.namespace, t.id, t.id, t.due_at, t.due_at, 1, l.lane
                FROM t JOIN l USING (namespace, priority)
            ), i AS (
              INSERT INTO scheduler.inbox (shard, kind, lanes, due)
              SELECT t.shard, 1, bit_or(1::bigint << l.lane), min(t.due_at)
                FROM t JOIN l USING (namespace, priority) GROUP BY t.shard
            ), o AS (
              INSERT INTO scheduler.outbox (n, events)
              SELECT :n::int, :events::bytea FROM n WHERE whole
               UNION ALL
              SELECT sum(x.n), string_agg(substring(:events::bytea FROM x.at FOR x.length), ''::bytea ORDER BY x.place)
                FROM unnest(:ids::uuid[], :counts::int[], :eventAts::int[], :lengths::int[])
                     WITH ORDINALITY AS x(id, n, at, length, place)
                JOIN t USING (id)
               WHERE NOT (SELECT whole FROM n)
              HAVING count(*) > 0
            )
            SELECT at, NULL::uuid AS missed FROM now
             UNION ALL
            SELECT NULL, id FROM unnest(:ids::uuid[]) AS id
             WHERE NOT (SELECT whole FROM n) AND id NOT IN (SELECT id FROM t)
            """;

    private static final String ONE = """
            WITH t AS (
              INSERT INTO scheduler.task
                     (namespace, id, version, owner, shard, kind, priority, name, handler, timeout_ms, max_attempts,
                      backoff, retry_initial_ms, retry_max_ms, misfire, misfire_limit, overlap, labels, at, key_id,
                      payload_version, payload_bytes, payload)
              VALUES (:namespace::int, :id::uuid, 1, :owner::uuid, :shard::int, 1, :priority::smallint, :name::text,
                      :handler::text, :timeout::int, :maxAttempts::smallint, :backoff::smallint, :retryInitial::int,
                      :retryMax::int, :misfire::smallint, :misfireLimit::smallint, :overlap::smallint,
                      :labels::jsonb, (:ats::timestamptz[])[1], :keyId::uuid, 1, octet_length(:inline::bytea),
                      :inline::bytea)
                  ON CONFLICT DO NOTHING
              RETURNING namespace, id, shard, created_at, greatest(at, created_at) AS due_at
            ), e AS (
              INSERT INTO scheduler.execution (shard, namespace, id, task_id, due_at, scheduled_for, version, lane)
              SELECT shard, namespace, id, id, due_at, due_at, 1, :lane::smallint FROM t
            ), i AS (
              INSERT INTO scheduler.inbox (shard, kind, lanes, due)
              SELECT shard, 1, 1::bigint << :lane::smallint, due_at FROM t
            ), o AS (
              INSERT INTO scheduler.outbox (n, events) SELECT :n::int, :events::bytea FROM t
            )
            SELECT created_at, NULL::uuid AS missed FROM t
            """;

    private static final String CAREFULLY = "ON CONFLICT DO NOTHING";
    private static final Form PERHAPS_KNOWN = new Form(ONE, MANY);
    private static final Form ALL_NEW = new Form(ONE.replace(CAREFULLY, ""), MANY.replace(CAREFULLY, ""));
    private static final Logger LOG = LoggerFactory.getLogger(PlainInsert.class);

    private PlainInsert() {}

    /// A statement for one task and one for many.
    private record Form(String one, String many) {}

    /// Creates all of them, or throws and creates none. What was there before stays as it was.
    ///
    /// @return in the order of the tasks: the new row, or nothing for an id that was there before
    static List<@Nullable Row> insert(JdbcClient db, List<Planned> tasks) {
        // In a transaction of the caller's a refusal would be the end of that too.
        if (!TransactionSynchronizationManager.isActualTransactionActive()) {
            try {
                return rows(tasks, answers(db, tasks, ALL_NEW));
            } catch (DuplicateKeyException known) {
                LOG.debug("event=tasks_known tasks={}", tasks.size(), known);
            }
        }
        return rows(tasks, answers(db, tasks, PERHAPS_KNOWN));
    }

    private static List<Answer> answers(JdbcClient db, List<Planned> tasks, Form form) {
        return (tasks.size() == 1
                        ? db.sql(form.one).params(parameters(tasks.getFirst()))
                        : db.sql(form.many).params(parameters(tasks)))
                .query((row, index) -> Answer.of(row))
                .list();
    }

    private static List<@Nullable Row> rows(List<Planned> tasks, List<Answer> answers) {
        Instant createdAt = null;
        var missed = new HashSet<UUID>();
        for (Answer answer : answers) {
            if (answer.createdAt != null) {
                createdAt = answer.createdAt;
            }
            if (answer.missed != null) {
                missed.add(answer.missed);
            }
        }
        var rows = new ArrayList<@Nullable Row>(tasks.size());
        for (Planned planned : tasks) {
            UUID id = planned.task().id();
            rows.add(createdAt == null || missed.contains(id) ? null : new Row(id, createdAt, due(planned, createdAt)));
        }
        return rows;
    }

    /// As the statement has it: at once, unless that is later.
    private static Instant due(Planned planned, Instant createdAt) {
        Instant at = at(planned.draft());
        return at == null || at.isBefore(createdAt) ? createdAt : at.truncatedTo(ChronoUnit.MICROS);
    }

    private static @Nullable Instant at(TaskDraft draft) {
        return draft.schedule() instanceof Schedule.OneTime(Instant at) ? at : null;
    }

    private static Map<String, Object> parameters(Planned planned) {
        NewTask task = planned.task();
        TaskDraft draft = task.draft();
        RetryPolicy retry = draft.retry();
        var parameters = HashMap.<String, Object>newHashMap(24);
        parameters.put("namespace", task.namespace());
        parameters.put("id", task.id());
        parameters.put("owner", task.owner());
        parameters.put("shard", planned.shard());
        parameters.put("lane", planned.lane());
        parameters.put("priority", draft.priority().code());
        parameters.put("name", draft.name());
        parameters.put("handler", draft.handler());
        parameters.put("timeout", (int) draft.timeout().toMillis());
        parameters.put("maxAttempts", retry.maxAttempts());
        parameters.put("backoff", retry.backoff().code());
        parameters.put("retryInitial", (int) retry.initial().toMillis());
        parameters.put("retryMax", (int) retry.max().toMillis());
        parameters.put("misfire", draft.misfire().code());
        parameters.put("misfireLimit", draft.misfireLimit());
        parameters.put("overlap", draft.overlap().code());
        parameters.put("labels", TaskRow.json(draft.labels()));
        parameters.put("ats", BinaryArray.of(new @Nullable Instant[] {at(draft)}));
        parameters.put("keyId", task.payload().keyId());
        parameters.put("inline", task.payload().sealed());
        parameters.put("n", task.events().count());
        parameters.put("events", task.events().framed());
        return parameters;
    }

    /// One row for each slice of tasks that have all but what is their own in common.
    private static Map<String, Object> parameters(List<Planned> tasks) {
        var alike = new LinkedHashMap<Common, List<Planned>>();
        Common last = null;
        List<Planned> neighbours = new ArrayList<>();
        for (Planned planned : tasks) {
            Common common = Common.of(planned);
            if (!common.equals(last)) {
                neighbours = alike.computeIfAbsent(common, any -> new ArrayList<>());
                last = common;
            }
            neighbours.add(planned);
        }
        var slices = new ArrayList<Slice>(alike.size());
        var all = new ArrayList<Planned>(tasks.size());
        var lanes = new HashSet<LaneOf>();
        alike.forEach((common, ofThem) -> {
            slices.add(new Slice(common, all.size() + 1, all.size() + ofThem.size()));
            all.addAll(ofThem);
            lanes.add(new LaneOf(common.namespace, common.priority));
        });
        Map<String, Object> parameters = slices(slices).arrays();
        parameters.putAll(new Columns<>(List.copyOf(lanes))
                .add("laneNamespaces", new Integer[0], LaneOf::namespace)
                .add("lanePriorities", new Integer[0], lane -> lane.priority.code())
                .add("lanes", new Integer[0], lane -> Lane.of(lane.priority, lane.namespace))
                .arrays());
        parameters.putAll(own(all));
        return parameters;
    }

    private static Columns<Slice> slices(List<Slice> slices) {
        return new Columns<>(slices)
                .add("namespaces", new Integer[0], slice -> slice.common.namespace)
                .add("owners", new UUID[0], slice -> slice.common.owner)
                .add("shards", new Integer[0], slice -> slice.common.shard)
                .add("priorities", new Integer[0], slice -> slice.common.priority.code())
                .add("handlers", new String[0], slice -> slice.common.handler)
                .add("timeouts", new Integer[0], slice -> (int) slice.common.timeout.toMillis())
                .add("maxAttempts", new Integer[0], slice -> slice.common.retry.maxAttempts())
                .add(
                        "backoffs",
                        new Integer[0],
                        slice -> slice.common.retry.backoff().code())
                .add("retryInitials", new Integer[0], slice ->
                        (int) slice.common.retry.initial().toMillis())
                .add("retryMaxes", new Integer[0], slice ->
                        (int) slice.common.retry.max().toMillis())
                .add("misfires", new Integer[0], slice -> slice.common.misfire.code())
                .add("misfireLimits", new Integer[0], slice -> slice.common.misfireLimit)
                .add("overlaps", new Integer[0], slice -> slice.common.overlap.code())
                .add("keyIds", new UUID[0], slice -> slice.common.keyId)
                .add("firsts", new Integer[0], Slice::first)
                .add("lasts", new Integer[0], Slice::last);
    }

    /// What comes by row, in the order of the slices.
    private static Map<String, Object> own(List<Planned> all) {
        int n = all.size();
        var ids = new UUID[n];
        var ats = new @Nullable Instant[n];
        var names = new String[n];
        var inlines = new byte[n][];
        var counts = new int[n];
        var eventAts = new int[n];
        var lengths = new int[n];
        var events = new ByteArrayOutputStream(n * EVENT_BYTES);
        for (int i = 0; i < n; i++) {
            NewTask task = all.get(i).task();
            byte[] framed = task.events().framed();
            ids[i] = task.id();
            ats[i] = at(task.draft());
            names[i] = task.draft().name();
            inlines[i] = task.payload().sealed();
            counts[i] = task.events().count();
            eventAts[i] = events.size() + 1;
            lengths[i] = framed.length;
            events.writeBytes(framed);
        }
        var parameters = HashMap.<String, Object>newHashMap(16);
        parameters.put("ids", BinaryArray.of(ids));
        parameters.put("ats", BinaryArray.of(ats));
        parameters.put("names", names);
        parameters.put("labels", labels(all));
        parameters.put("inlines", BinaryArray.of(inlines));
        parameters.put("counts", counts);
        parameters.put("eventAts", eventAts);
        parameters.put("lengths", lengths);
        parameters.put("events", events.toByteArray());
        parameters.put("n", Arrays.stream(counts).sum());
        return parameters;
    }

    /// None at all when no task has any.
    private static String[] labels(List<Planned> all) {
        return all.stream().allMatch(planned -> planned.draft().labels().isEmpty())
                ? new String[0]
                : all.stream()
                        .map(planned -> TaskRow.json(planned.draft().labels()))
                        .toArray(String[]::new);
    }

    /// What tasks of one kind have in common.
    private record Common(
            int namespace,
            UUID owner,
            int shard,
            Priority priority,
            String handler,
            Duration timeout,
            RetryPolicy retry,
            Misfire misfire,
            int misfireLimit,
            Overlap overlap,
            UUID keyId) {
        static Common of(Planned planned) {
            NewTask task = planned.task();
            TaskDraft draft = task.draft();
            return new Common(
                    task.namespace(),
                    task.owner(),
                    planned.shard(),
                    draft.priority(),
                    draft.handler(),
                    draft.timeout(),
                    draft.retry(),
                    draft.misfire(),
                    draft.misfireLimit(),
                    draft.overlap(),
                    task.payload().keyId());
        }
    }

    /// Places of the tasks that have these in common, counted from 1.
    private record Slice(Common common, int first, int last) {}

    private record LaneOf(int namespace, Priority priority) {}

    /// @param createdAt when the tasks were created; null in a row of one that was there before
    /// @param missed    the task that was there before
    private record Answer(
            @Nullable Instant createdAt, @Nullable UUID missed) {
        static Answer of(ResultSet row) throws SQLException {
            OffsetDateTime createdAt = row.getObject(1, OffsetDateTime.class);
            return new Answer(createdAt == null ? null : createdAt.toInstant(), row.getObject(2, UUID.class));
        }
    }
}
