package dev.vigil.scheduler.task;

import dev.vigil.scheduler.task.Commands.Kind;
import dev.vigil.scheduler.task.TaskView.State;
import java.util.Optional;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;

/// Stores executions that somebody asks for, triggered ones and those to be tried once more, where nothing is
/// dispatched from, and the command by which their shard's owner admits them. Runs in the caller's transaction, which
/// holds the shard's row: so no deletion or pause comes between what is read and what is stored.
final class Admissions {
    private final JdbcClient db;

    Admissions(JdbcClient db) {
        this.db = db;
    }

    /// Lets a one_time task run now: its execution is there already.
    void bringForward(TaskView task, int shard, Events events) {
        db.sql("""
                        WITH s AS (
                          UPDATE scheduler.shard SET change_seq = change_seq + 1 WHERE id = :shard
                          RETURNING id, change_seq
                        ), i AS (
                          INSERT INTO scheduler.inbox (shard, kind, change_seq, namespace, ref)
                          SELECT id, :kind, change_seq, :namespace, :id FROM s
                        )
                        INSERT INTO scheduler.outbox (n, events) VALUES (:n, :events)
                        """)
                .param("shard", shard)
                .param("kind", Kind.TRIGGER.code())
                .param("namespace", task.namespace())
                .param("id", task.id())
                .param("n", events.count())
                .param("events", events.framed())
                .update();
    }

    /// Whether an execution of this id was ever stored.
    boolean exists(int namespace, int shard, UUID execution) {
        return db.sql("""
                        SELECT EXISTS (SELECT FROM scheduler.execution WHERE shard = :shard AND id = :id)
                            OR EXISTS (SELECT FROM scheduler.history WHERE namespace = :namespace AND id = :id)
                        """)
                .param("namespace", namespace)
                .param("shard", shard)
                .param("id", execution)
                .query(Boolean.class)
                .single();
    }

    /// Stores one more execution of a schedule.
    void trigger(TaskView task, int shard, UUID execution, Events events) {
        db.sql("""
                        WITH s AS (
                          UPDATE scheduler.shard SET change_seq = change_seq + 1 WHERE id = :shard
                          RETURNING id, change_seq
                        ), e AS (
                          INSERT INTO scheduler.execution
                                 (shard, namespace, id, task_id, due_at, scheduled_for, version, lane)
                          SELECT id, :namespace, :execution, :task, clock.at, clock.at, :version, :lane
                            FROM s CROSS JOIN (SELECT clock_timestamp() AS at) clock
                        ), i AS (
                          INSERT INTO scheduler.inbox (shard, kind, change_seq, namespace, ref)
                          SELECT id, :kind, change_seq, :namespace, :execution FROM s
                        )
                        INSERT INTO scheduler.outbox (n, events) VALUES (:n, :events)
                        """)
                .param("shard", shard)
                .param("kind", Kind.TRIGGER.code())
                .param("namespace", task.namespace())
                .param("task", task.id())
                .param("execution", execution)
                .param("version", task.version())
                .param("lane", Lane.waiting(Lane.of(task.draft().priority(), task.namespace())))
                .param("n", events.count())
                .param("events", events.framed())
                .update();
    }

    /// An ended execution.
    ///
    /// @param retryable whether it ended badly
    record Ended(int shard, int namespace, UUID task, UUID id, boolean retryable) {
        boolean isOneTime() {
            return id.equals(task);
        }
    }

    Optional<Ended> ended(UUID execution) {
        return db.sql("""
                        SELECT shard, namespace, task_id, id, state IN (2, 3, 4) AS retryable
                          FROM scheduler.history WHERE id = :id
                        """)
                .param("id", execution)
                .query((row, index) -> new Ended(
                        row.getInt("shard"),
                        row.getInt("namespace"),
                        row.getObject("task_id", UUID.class),
                        row.getObject("id", UUID.class),
                        row.getBoolean("retryable")))
                .optional();
    }

    /// Why an ended execution may not run again, as its task stands.
    Optional<RetryResult> refusal(Ended ended, TaskView task) {
        if (task.state() == State.FINISHED && !ended.isOneTime()) {
            return Optional.of(new RetryResult.TaskGone());
        }
        return task.state() == State.PAUSED ? Optional.of(new RetryResult.Paused()) : Optional.empty();
    }

    /// Takes an execution out of history and opens it again. Its `fence_min` lies above every dispatch of its shard,
    /// so nothing that an earlier attempt sends counts, and its attempts are numbered on.
    ///
    /// @return false when it is not in history any more
    boolean reopen(Ended ended, TaskView task, Events events) {
        return db.sql("""
                                WITH h AS (
                                  DELETE FROM scheduler.history WHERE namespace = :namespace AND id = :id RETURNING *
                                ), s AS (
                                  UPDATE scheduler.shard s SET change_seq = s.change_seq + 1 FROM h WHERE s.id = h.shard
                                  RETURNING s.id, s.change_seq
                                ), e AS (
                                  INSERT INTO scheduler.execution
                                         (shard, namespace, id, task_id, due_at, scheduled_for, fence_min, version,
                                          lane, attempt)
                                  SELECT h.shard, h.namespace, h.id, h.task_id, clock_timestamp(), h.scheduled_for,
                                         greatest(h.fence, last.fence) + 1, h.version, :lane, h.attempt
                                    FROM h LEFT JOIN LATERAL (
                                      SELECT (d.epoch << 32) + d.n AS fence FROM scheduler.dispatch d
                                       WHERE d.shard = h.shard ORDER BY d.epoch DESC, d.n DESC LIMIT 1) last ON true
                                ), i AS (
                                  INSERT INTO scheduler.inbox (shard, kind, change_seq, namespace, ref)
                                  SELECT id, :kind, change_seq, :namespace, :id FROM s
                                )
                                INSERT INTO scheduler.outbox (n, events) SELECT :n, :events FROM h
                                """)
                        .param("namespace", ended.namespace)
                        .param("id", ended.id)
                        .param("kind", Kind.RETRY.code())
                        .param("lane", Lane.waiting(Lane.of(task.draft().priority(), task.namespace())))
                        .param("n", events.count())
                        .param("events", events.framed())
                        .update()
                == 1;
    }
}
