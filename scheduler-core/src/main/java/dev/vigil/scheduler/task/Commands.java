package dev.vigil.scheduler.task;

import dev.vigil.scheduler.task.Admissions.Ended;
import dev.vigil.scheduler.task.ShardHints.ShardHint;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionCallback;
import org.springframework.transaction.support.TransactionOperations;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/// The inbox as those who command see it. A command is one row, one step of the shard's `change_seq` and its
/// audit event, in one statement. Dispatch requires the `change_seq` that the owner has carried out, so once a
/// command is answered, no dispatch that ignores it can commit, whether or not the owner was told.
public final class Commands {
    private final JdbcClient db;
    private final TransactionTemplate transaction;
    private final TransactionOperations trial;
    private final ShardHints hints;
    private final TaskVersions versions;
    private final Admissions admissions;
    private final Quotas quotas;

    /// Commands of this database; owners are told through `hints`.
    public Commands(JdbcClient db, TransactionTemplate transaction, ShardHints hints) {
        this.db = db;
        this.transaction = transaction;
        this.trial = new Trial(transaction);
        this.hints = hints;
        this.versions = new TaskVersions(db);
        this.admissions = new Admissions(db);
        this.quotas = new Quotas(db);
    }

    /// Changes a task.
    PatchResult patch(TaskRef task, Patch patch, Instant now) {
        return locked(
                transaction, task, new PatchResult.Absent(), (shard, view) -> versions.store(patch, view, shard, now));
    }

    /// Runs a task now, besides what its schedule does.
    ///
    /// @param wanted id of the execution if it is a new one
    TriggerResult trigger(TaskRef task, UUID wanted, Function<UUID, Events> events) {
        return locked(transaction, task, new TriggerResult.Absent(), (shard, view) -> {
            if (view.state() != TaskView.State.SCHEDULED) {
                return view.state() == TaskView.State.PAUSED
                        ? new TriggerResult.Paused()
                        : new TriggerResult.Finished();
            }
            if (view.draft().schedule() instanceof Schedule.OneTime) {
                admissions.bringForward(view, shard, events.apply(view.id()));
                return new TriggerResult.Triggered(view.id());
            }
            if (!admissions.exists(view.namespace(), shard, wanted)) {
                admissions.trigger(view, shard, wanted, events.apply(wanted));
            }
            return new TriggerResult.Triggered(wanted);
        });
    }

    /// Opens an execution that is stored, and has ended, once more. One of a one_time task makes that task
    /// unfinished again, and needs room in its owner's limit.
    public RetryResult retry(UUID execution, Limits limits, Events events) {
        return retry(execution, limits, events, transaction);
    }

    /// What [#retry] would answer now: the same steps, taken back.
    public RetryResult tryRetry(UUID execution, Limits limits, Events events) {
        try {
            return retry(execution, limits, events, trial);
        } finally {
            quotas.forgetAll();
        }
    }

    private RetryResult retry(UUID execution, Limits limits, Events events, TransactionOperations within) {
        Optional<Ended> found = admissions.ended(execution);
        if (found.isEmpty()) {
            return new RetryResult.Open();
        }
        Ended ended = found.get();
        if (!ended.retryable()) {
            return new RetryResult.NotRetryable();
        }
        var task = new TaskRef(ended.namespace(), ended.task());
        return locked(within, task, new RetryResult.TaskGone(), (shard, view) -> {
            Optional<RetryResult> refusal = admissions.refusal(ended, view);
            if (refusal.isPresent()) {
                return refusal.get();
            }
            if (ended.isOneTime()) {
                var owner = new Quotas.Owner(view.namespace(), view.owner());
                Optional<RetryResult> full = quotas.reopen(owner, limits);
                if (full.isPresent()) {
                    return full.get();
                }
            }
            if (admissions.reopen(ended, view, events)) {
                return new RetryResult.Retried();
            }
            // Somebody else was faster, between the look at history and the lock.
            if (ended.isOneTime()) {
                quotas.giveBack(new Quotas.Owner(view.namespace(), view.owner()), 1);
            }
            return new RetryResult.Open();
        });
    }

    /// Runs something with the shard of a task held and the task as it is promised then, and tells the owner.
    private <R> R locked(
            TransactionOperations within, TaskRef task, R absent, BiFunction<Integer, TaskView, R> action) {
        var shard = new AtomicReference<@Nullable Integer>();
        R result = Objects.requireNonNull(within.execute(status -> {
            Optional<Integer> held = lock(task);
            Optional<TaskView> view = held.flatMap(id -> view(task));
            shard.set(held.orElse(null));
            return view.isEmpty() ? absent : action.apply(held.get(), view.get());
        }));
        Integer held = shard.get();
        if (held != null && !(within instanceof Trial)) {
            tell(held);
        }
        return result;
    }

    private Optional<Integer> lock(TaskRef task) {
        return db.sql("""
                        SELECT id FROM scheduler.shard
                         WHERE id = (SELECT shard FROM scheduler.task WHERE namespace = :namespace AND id = :id LIMIT 1)
                           FOR NO KEY UPDATE
                        """)
                .param("namespace", task.namespace())
                .param("id", task.id())
                .query(Integer.class)
                .optional();
    }

    private Optional<TaskView> view(TaskRef task) {
        return db.sql(TaskQuery.SELECT + " AND t.id = :id AND t.namespace = :namespace")
                .params(TaskQuery.CODES)
                .param("namespace", task.namespace())
                .param("id", task.id())
                .query(TaskRow::view)
                .optional();
    }

    /// Commands a task.
    CommandResult task(TaskRef task, Kind kind, Events events) {
        return result(db.sql("""
                        WITH t AS (
                          SELECT shard, kind, id FROM scheduler.task WHERE namespace = :namespace AND id = :id
                           ORDER BY version DESC LIMIT 1
                        ), known AS (
                          SELECT t.* FROM t
                           WHERE NOT EXISTS (SELECT FROM scheduler.inbox i
                                              WHERE i.ref = :id AND i.change_seq IS NOT NULL
                                                AND (i.kind = :erase OR i.kind = :delete AND :kind <> :erase))
                        ), open AS (
                          SELECT k.* FROM known k
                           WHERE :kind IN (:delete, :erase)
                              OR EXISTS (SELECT FROM scheduler.execution e WHERE e.shard = k.shard AND e.id = k.id)
                              OR EXISTS (SELECT FROM scheduler.schedule c WHERE c.shard = k.shard AND c.task_id = k.id)
                        ), s AS (
                          UPDATE scheduler.shard s SET change_seq = s.change_seq + 1 FROM open WHERE s.id = open.shard
                          RETURNING s.id, s.change_seq
                        ), i AS (
                          INSERT INTO scheduler.inbox (shard, kind, change_seq, namespace, ref)
                          SELECT id, :kind, change_seq, :namespace, :id FROM s
                        ), o AS (
                          INSERT INTO scheduler.outbox (n, events) SELECT :n, :events FROM s
                        )
                        SELECT (SELECT id FROM s) AS shard, EXISTS (SELECT FROM known) AS known
                        """)
                .param("namespace", task.namespace())
                .param("id", task.id())
                .param("kind", kind.code())
                .param("delete", Kind.DELETE.code())
                .param("erase", Kind.ERASE.code())
                .param("n", events.count())
                .param("events", events.framed())
                .query((row, index) -> new Stored(row.getObject("shard", Integer.class), row.getBoolean("known")))
                .single());
    }

    /// Cancels an execution that has not ended.
    public CommandResult cancelExecution(UUID execution, Events events) {
        return result(db.sql("""
                        WITH e AS (
                          SELECT e.shard, e.namespace FROM scheduler.shard s
                            JOIN scheduler.execution e ON e.shard = s.id AND e.id = :id
                        ), s AS (
                          UPDATE scheduler.shard s SET change_seq = s.change_seq + 1 FROM e WHERE s.id = e.shard
                          RETURNING s.id, s.change_seq, e.namespace
                        ), i AS (
                          INSERT INTO scheduler.inbox (shard, kind, change_seq, namespace, ref)
                          SELECT id, :kind, change_seq, namespace, :id FROM s
                        ), o AS (
                          INSERT INTO scheduler.outbox (n, events) SELECT :n, :events FROM s
                        )
                        SELECT (SELECT id FROM s) AS shard,
                               EXISTS (SELECT FROM scheduler.history h WHERE h.id = :id) AS known
                        """)
                .param("id", execution)
                .param("kind", Kind.CANCEL.code())
                .param("n", events.count())
                .param("events", events.framed())
                .query((row, index) -> new Stored(row.getObject("shard", Integer.class), row.getBoolean("known")))
                .single());
    }

    private CommandResult result(Stored stored) {
        if (stored.shard != null) {
            tell(stored.shard);
            return new CommandResult.Accepted();
        }
        return stored.known ? new CommandResult.Finished() : new CommandResult.Absent();
    }

    /// Tells the owner, after the commit of whatever transaction the caller is in.
    private void tell(int shard) {
        if (!TransactionSynchronizationManager.isActualTransactionActive()) {
            tellNow(shard);
            return;
        }
        TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {
            @Override
            public void afterCommit() {
                tellNow(shard);
            }
        });
    }

    private void tellNow(int shard) {
        List<ShardHint> elsewhere = NearbyOwners.tell(List.of(ShardHint.command(shard)));
        if (!elsewhere.isEmpty()) {
            hints.changed(elsewhere);
        }
    }

    private record Stored(@Nullable Integer shard, boolean known) {}

    /// Transactions whose result counts and whose writes do not.
    private record Trial(TransactionTemplate template) implements TransactionOperations {
        @Override
        public <T extends @Nullable Object> T execute(TransactionCallback<T> action) {
            return template.execute(status -> {
                status.setRollbackOnly();
                return action.doInTransaction(status);
            });
        }
    }

    /// What a row of the inbox asks for. The codes are stored.
    public enum Kind implements Coded {
        CREATED(1),
        PAUSE(2),
        RESUME(3),
        DELETE(4),
        CANCEL(5),
        /// Deletes a task, and takes out of history what tells of its subject.
        ERASE(6),
        /// A task has a new version.
        PATCH(7),
        /// An execution was asked for, beside its schedule's; of a one_time task its own is to run now.
        TRIGGER(8),
        /// An ended execution is open again.
        RETRY(9),
        /// What an execution waits for may have ended: its owner looks.
        RELEASE(10);

        private final int code;

        Kind(int code) {
            this.code = code;
        }

        @Override
        public int code() {
            return code;
        }
    }
}
