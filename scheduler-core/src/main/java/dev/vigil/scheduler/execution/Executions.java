package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.Held.Claim;
import dev.vigil.scheduler.execution.Held.Reason;
import dev.vigil.scheduler.task.Columns;
import dev.vigil.scheduler.task.CommandResult;
import dev.vigil.scheduler.task.Commands;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.Limits;
import dev.vigil.scheduler.task.Page;
import dev.vigil.scheduler.task.RetryResult;
import dev.vigil.scheduler.task.ShardHints;
import dev.vigil.scheduler.task.SharedLimits;
import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/// Executions as everybody but their owner sees them: reads them, asks for their cancellation, and answers what a
/// worker may have.
///
/// For use by many threads at once.
public final class Executions {
    private final JdbcClient db;
    private final Commands commands;
    private final Explaining explaining;

    /// Executions of this database; owners are told of commands through `hints`.
    public Executions(JdbcClient db, PlatformTransactionManager transactions, ShardHints hints) {
        this.db = db;
        this.commands = new Commands(db, new TransactionTemplate(transactions), hints);
        this.explaining = new Explaining(db);
    }

    /// An execution, of whatever namespace and owner: whether the caller may see it is his policy's question.
    public Optional<ExecutionView> get(UUID id) {
        return db
                .sql(ExecutionQuery.ONE)
                .params(ExecutionQuery.codes())
                .param("id", id)
                .query(ExecutionQuery::view)
                .list()
                .stream()
                .findFirst();
    }

    /// A page of the executions that pass a filter, open ones and ended ones.
    public List<ExecutionView> list(ExecutionFilter filter, Page page) {
        return db.sql(ExecutionQuery.list(page.ascending(), filter.taskId() != null))
                .params(ExecutionQuery.parameters(filter, page))
                .query(ExecutionQuery::view)
                .list();
    }

    /// The sealed result of an execution that succeeded, or the sealed error detail of one that did not.
    ///
    /// @return empty when it is open, or left none
    public Optional<byte[]> sealedResult(ExecutionView execution) {
        return db.sql("""
                        SELECT coalesce(h.result, r.sealed) FROM scheduler.history h
                          LEFT JOIN scheduler.result r
                            ON h.uploaded AND r.namespace = h.namespace AND r.execution = h.id AND r.fence = h.fence
                         WHERE h.namespace = :namespace AND h.id = :id AND coalesce(h.result, r.sealed) IS NOT NULL
                        """)
                .param("namespace", execution.namespace())
                .param("id", execution.id())
                .query((row, index) -> row.getBytes(1))
                .optional();
    }

    /// How many executions of an owner's tasks are with a worker.
    public long running(int namespace, UUID owner) {
        return running(namespace, owner, null);
    }

    /// How many executions of a namespace, or of a handler in all namespaces, are with workers.
    public long running(SharedLimits.Scope scope) {
        return scope.handler() == null ? running(scope.namespace(), null, null) : running(null, null, scope.handler());
    }

    private long running(@Nullable Integer namespace, @Nullable UUID owner, @Nullable String handler) {
        return db.sql("""
                        SELECT count(DISTINCT e.id) FROM scheduler.open_dispatch d
                         CROSS JOIN LATERAL (
                           SELECT * FROM scheduler.execution e
                            WHERE e.shard = d.shard AND e.id = d.execution AND e.fence_min <= d.fence
                           OFFSET 0
                         ) e
                          JOIN scheduler.task t
                            ON t.namespace = e.namespace AND t.id = e.task_id AND t.version = e.version
                         WHERE (:namespace::int IS NULL OR e.namespace = :namespace::int)
                           AND (:owner::uuid IS NULL OR t.owner = :owner::uuid)
                           AND (:handler::text IS NULL OR t.handler = :handler::text)
                        """)
                .param("namespace", namespace, Types.INTEGER)
                .param("owner", owner, Types.OTHER)
                .param("handler", handler, Types.VARCHAR)
                .query(Long.class)
                .single();
    }

    /// Why an execution is not running, or what it does, as far as that is known.
    public Optional<Explanation> explain(UUID execution) {
        return get(execution).map(explaining::explain);
    }

    /// Asks for the end of an execution. From the answer on it is not dispatched; what runs is told to stop.
    public CommandResult cancel(UUID execution, Events events) {
        return commands.cancelExecution(execution, events);
    }

    /// Opens an execution that failed, timed out or was cancelled once more. Its attempts are numbered on, and it has
    /// at least one.
    ///
    /// @param limits what the task's owner may have: a one_time task becomes unfinished again
    public RetryResult retry(UUID execution, Limits limits, Events events) {
        return get(execution).isEmpty() ? new RetryResult.Absent() : commands.retry(execution, limits, events);
    }

    /// What [#retry] would answer now; changes nothing.
    public RetryResult tryRetry(UUID execution, Limits limits, Events events) {
        return get(execution).isEmpty() ? new RetryResult.Absent() : commands.tryRetry(execution, limits, events);
    }

    /// Which of its claims a worker really holds. One query, over the dispatch rows of the fences it names.
    ///
    /// @param claims at most 512
    public List<Held> held(WorkerBoot worker, List<Claim> claims) {
        if (claims.size() > 512) {
            throw new IllegalArgumentException("a worker claims " + claims.size() + " executions at once; at most 512");
        }
        var columns = new Columns<>(claims)
                .add("executions", new UUID[0], Claim::execution)
                .add("fences", new Long[0], Claim::fence);
        // A frame's executions come from few dispatch rows. A fence does not say of which shard, so each is
        // looked for in all of them, and then only what those rows list.
        return db.sql("""
                        WITH claim AS MATERIALIZED (
                          SELECT * FROM unnest(:executions::uuid[], :fences::bigint[]) WITH ORDINALITY
                                        AS v(execution, fence, place)
                        ), listed AS MATERIALIZED (
                          SELECT f.fence, d.shard, x.execution
                            FROM (SELECT DISTINCT fence FROM claim) f
                           CROSS JOIN scheduler.shard s
                           CROSS JOIN LATERAL (
                             SELECT d.shard, d.executions FROM scheduler.dispatch d
                              WHERE d.shard = s.id AND d.epoch = f.fence >> 32 AND d.n = f.fence & 4294967295
                                AND d.worker = :worker AND d.boot = :boot
                             OFFSET 0
                           ) d
                           CROSS JOIN LATERAL unnest(d.executions) AS x(execution)
                        )
                        SELECT v.execution, v.fence, l.shard IS NOT NULL AS dispatched, e.id IS NOT NULL AS open,
                               e.fence_min <= v.fence AS current, e.task_id, e.namespace, t.payload_version, t.key_id,
                               t.handler, t.refs
                          FROM claim v
                          LEFT JOIN listed l ON l.fence = v.fence AND l.execution = v.execution
                          LEFT JOIN LATERAL (
                            SELECT * FROM scheduler.execution e WHERE e.shard = l.shard AND e.id = v.execution OFFSET 0
                          ) e ON true
                          LEFT JOIN LATERAL (
                            SELECT t.payload_version, t.key_id, t.handler, t.refs FROM scheduler.task t
                             WHERE t.namespace = e.namespace AND t.id = e.task_id AND t.version = e.version
                            OFFSET 0
                          ) t ON true
                         ORDER BY v.place
                        """)
                .params(columns.arrays())
                .param("worker", worker.worker())
                .param("boot", worker.boot())
                .query(Executions::verdict)
                .list();
    }

    private static Held verdict(ResultSet row, int index) throws SQLException {
        UUID execution = row.getObject("execution", UUID.class);
        long fence = row.getLong("fence");
        if (!row.getBoolean("dispatched")) {
            return new Held.Refused(execution, fence, Reason.NOT_YOURS);
        }
        String handler = row.getString("handler");
        if (!row.getBoolean("open") || handler == null) {
            return new Held.Refused(execution, fence, Reason.CLOSED);
        }
        if (!row.getBoolean("current")) {
            return new Held.Refused(execution, fence, Reason.STALE);
        }
        return new Held.Open(
                execution,
                fence,
                row.getObject("task_id", UUID.class),
                row.getInt("namespace"),
                row.getInt("payload_version"),
                row.getObject("key_id", UUID.class),
                handler,
                references(row.getArray("refs")));
    }

    private static List<String> references(@Nullable Array references) throws SQLException {
        return references == null ? List.of() : List.of((String[]) references.getArray());
    }

    /// The sealed payload of what a worker holds.
    public Optional<byte[]> sealedPayload(Held.Open held) {
        return db.sql("""
                        SELECT coalesce(t.payload, p.sealed) FROM scheduler.task t
                          LEFT JOIN scheduler.payload p
                            ON p.namespace = t.namespace AND p.task_id = t.id AND p.version = t.payload_version
                         WHERE t.namespace = :namespace AND t.id = :task AND t.payload_version = :version
                         LIMIT 1
                        """)
                .param("namespace", held.namespace())
                .param("task", held.task())
                .param("version", held.payloadVersion())
                .query((row, index) -> row.getBytes(1))
                .optional();
    }

    /// Keeps a sealed result, or error detail, that is too large for the link. Storing the same one again is
    /// fine.
    public void storeResult(Held.Open held, byte[] sealed) {
        db.sql("""
                        INSERT INTO scheduler.result (namespace, execution, fence, sealed)
                        VALUES (:namespace, :execution, :fence, :sealed) ON CONFLICT DO NOTHING
                        """)
                .param("namespace", held.namespace())
                .param("execution", held.execution())
                .param("fence", held.fence())
                .param("sealed", sealed)
                .update();
    }
}
