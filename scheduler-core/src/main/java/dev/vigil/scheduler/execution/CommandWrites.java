package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.OwnerReads.InboxRow;
import dev.vigil.scheduler.task.Commands.Kind;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The statements by which an owner carries out commands. The effect and the removal of the inbox row are one
/// statement, so a command is either pending or done, whoever owns the shard afterwards.
///
/// Each answers false when the shard is no longer its own.
final class CommandWrites {
    private CommandWrites() {}

    /// Moves the open executions of a task where nothing is dispatched from, and stops its schedule.
    static boolean hold(JdbcClient db, Owned owned, InboxRow command) {
        return !db.sql("""
                        WITH s AS MATERIALIZED (
                          SELECT s.id FROM scheduler.shard s
                            JOIN unnest(:myShards::int[], :myEpochs::bigint[]) AS mine(id, epoch) ON mine.id = s.id
                           WHERE s.owner = :me AND s.epoch = mine.epoch
                             FOR SHARE OF s
                        ), e AS (
                          UPDATE scheduler.execution e
                             SET lane = CASE WHEN e.lane >= 0 THEN -1 - e.lane ELSE 200 + e.lane END
                            FROM s
                           WHERE e.shard = s.id AND (e.lane >= 0 OR e.lane < -200)
                             AND e.id IN (SELECT :ref UNION ALL
                                          SELECT unnest(c.open) FROM scheduler.schedule c
                                           WHERE c.shard = :shard AND c.task_id = :ref)
                        ), c AS (
                          UPDATE scheduler.schedule c SET paused = true FROM s
                           WHERE c.shard = s.id AND c.task_id = :ref
                        ), i AS (
                          DELETE FROM scheduler.inbox i USING s
                           WHERE i.shard = s.id AND i.xid = :xid::text::xid8 AND i.seq = :seq
                        )
                        SELECT id FROM s
                        """)
                .params(owned.parameters())
                .param("shard", command.shard())
                .param("ref", command.ref())
                .param("xid", Long.toString(command.xid()))
                .param("seq", command.seq())
                .query(Integer.class)
                .list()
                .isEmpty();
    }

    /// An execution that lies elsewhere or under another version now, or only a shard that passed when `id` is null.
    record Released(
            int shard,
            @Nullable UUID id,
            @Nullable Integer lane,
            @Nullable Instant dueAt) {}

    /// Takes a hold back.
    ///
    /// @param nextAt when the task's schedule goes on, unless it has fired beyond that; null when it has none
    static List<Released> release(JdbcClient db, Owned owned, InboxRow command, @Nullable Instant nextAt) {
        return released(db.sql("""
                        WITH s AS MATERIALIZED (
                          SELECT s.id FROM scheduler.shard s
                            JOIN unnest(:myShards::int[], :myEpochs::bigint[]) AS mine(id, epoch) ON mine.id = s.id
                           WHERE s.owner = :me AND s.epoch = mine.epoch
                             FOR SHARE OF s
                        ), e AS (
                          UPDATE scheduler.execution e
                             SET lane = CASE WHEN EXISTS (SELECT FROM scheduler.dependency q WHERE q.dependent = e.id)
                                             THEN e.lane - 200 ELSE -1 - e.lane END
                            FROM s
                           WHERE e.shard = s.id AND e.lane BETWEEN -100 AND -1
                             AND e.id IN (SELECT :ref UNION ALL
                                          SELECT unnest(c.open) FROM scheduler.schedule c
                                           WHERE c.shard = :shard AND c.task_id = :ref)
                          RETURNING e.shard, e.id, e.lane, e.due_at
                        ), c AS (
                          UPDATE scheduler.schedule c
                             SET paused = false, next_at = greatest(c.next_at, :nextAt::timestamptz) FROM s
                           WHERE c.shard = s.id AND c.task_id = :ref
                        ), i AS (
                          DELETE FROM scheduler.inbox i USING s
                           WHERE i.shard = s.id AND i.xid = :xid::text::xid8 AND i.seq = :seq
                        )
                        SELECT s.id AS shard, e.id, e.lane, e.due_at FROM s LEFT JOIN e ON e.shard = s.id
                        """)
                .params(owned.parameters())
                .param("shard", command.shard())
                .param("ref", command.ref())
                .param("nextAt", DueRow.text(nextAt))
                .param("xid", Long.toString(command.xid()))
                .param("seq", command.seq()));
    }

    /// Puts what has not been dispatched of a task, and its schedule, under its newest version.
    ///
    /// @param dispatched executions that have been
    static List<Released> renew(JdbcClient db, Owned owned, InboxRow command, List<UUID> dispatched) {
        return released(db.sql("""
                        WITH s AS MATERIALIZED (
                          SELECT s.id FROM scheduler.shard s
                            JOIN unnest(:myShards::int[], :myEpochs::bigint[]) AS mine(id, epoch) ON mine.id = s.id
                           WHERE s.owner = :me AND s.epoch = mine.epoch
                             FOR SHARE OF s
                        ), n AS (
                          SELECT t.version, t.kind, t.priority * 16 + mod(t.namespace, 16) AS lane
                            FROM scheduler.task t WHERE t.namespace = :namespace AND t.id = :ref
                           ORDER BY t.version DESC LIMIT 1
                        ), e AS (
                          UPDATE scheduler.execution e
                             SET version = n.version,
                                 lane = CASE WHEN e.lane >= 0 THEN n.lane
                                             WHEN e.lane >= -100 THEN -1 - n.lane
                                             WHEN e.lane >= -200 THEN -101 - n.lane ELSE -201 - n.lane END,
                                 due_at = CASE WHEN n.kind = 1 THEN coalesce(:due::timestamptz, e.due_at)
                                               ELSE e.due_at END,
                                 scheduled_for = CASE WHEN n.kind = 1 THEN coalesce(:due::timestamptz, e.scheduled_for)
                                                      ELSE e.scheduled_for END
                            FROM s CROSS JOIN n
                           WHERE e.shard = s.id AND e.fence_min = 0 AND e.id <> ALL (:dispatched::uuid[])
                             AND e.id IN (SELECT :ref UNION ALL
                                          SELECT unnest(c.open) FROM scheduler.schedule c
                                           WHERE c.shard = :shard AND c.task_id = :ref)
                          RETURNING e.shard, e.id, e.lane, e.due_at
                        ), c AS (
                          UPDATE scheduler.schedule c
                             SET version = n.version, next_at = coalesce(:due::timestamptz, c.next_at)
                            FROM s CROSS JOIN n
                           WHERE c.shard = s.id AND c.task_id = :ref
                        ), i AS (
                          DELETE FROM scheduler.inbox i USING s
                           WHERE i.shard = s.id AND i.xid = :xid::text::xid8 AND i.seq = :seq
                        )
                        SELECT s.id AS shard, e.id, e.lane, e.due_at FROM s LEFT JOIN e ON e.shard = s.id
                        """)
                .params(owned.parameters())
                .param("shard", command.shard())
                .param("namespace", command.namespace())
                .param("ref", command.ref())
                .param("due", DueRow.text(command.due()))
                .param("dispatched", dispatched.toArray(UUID[]::new))
                .param("xid", Long.toString(command.xid()))
                .param("seq", command.seq()));
    }

    /// Lets a one_time task's execution run now, unless it is held or on a worker.
    ///
    /// @param dispatched executions that are on a worker
    static List<Released> bringForward(JdbcClient db, Owned owned, InboxRow command, List<UUID> dispatched) {
        return released(db.sql("""
                        WITH s AS MATERIALIZED (
                          SELECT s.id FROM scheduler.shard s
                            JOIN unnest(:myShards::int[], :myEpochs::bigint[]) AS mine(id, epoch) ON mine.id = s.id
                           WHERE s.owner = :me AND s.epoch = mine.epoch
                             FOR SHARE OF s
                        ), e AS (
                          UPDATE scheduler.execution e SET due_at = least(e.due_at, clock_timestamp()) FROM s
                           WHERE e.shard = s.id AND e.id = :ref AND e.lane >= 0 AND e.id <> ALL (:dispatched::uuid[])
                          RETURNING e.shard, e.id, e.lane, e.due_at
                        ), i AS (
                          DELETE FROM scheduler.inbox i USING s
                           WHERE i.shard = s.id AND i.xid = :xid::text::xid8 AND i.seq = :seq
                        )
                        SELECT s.id AS shard, e.id, e.lane, e.due_at FROM s LEFT JOIN e ON e.shard = s.id
                        """)
                .params(owned.parameters())
                .param("ref", command.ref())
                .param("dispatched", dispatched.toArray(UUID[]::new))
                .param("xid", Long.toString(command.xid()))
                .param("seq", command.seq()));
    }

    /// Admits an execution that was asked for: it belongs to its schedule's open ones, and lies where it is
    /// dispatched from.
    ///
    /// @param task  of the execution
    /// @param waits whether it stays where it is until what is open has ended
    record Admission(InboxRow command, UUID task, boolean waits) {}

    static List<Released> admit(JdbcClient db, Owned owned, Admission admission) {
        return released(db.sql("""
                        WITH s AS MATERIALIZED (
                          SELECT s.id FROM scheduler.shard s
                            JOIN unnest(:myShards::int[], :myEpochs::bigint[]) AS mine(id, epoch) ON mine.id = s.id
                           WHERE s.owner = :me AND s.epoch = mine.epoch
                             FOR SHARE OF s
                        ), e AS (
                          UPDATE scheduler.execution e SET lane = CASE WHEN :waits THEN e.lane ELSE -101 - e.lane END
                            FROM s
                           WHERE e.shard = s.id AND e.id = :ref AND e.lane BETWEEN -200 AND -101
                          RETURNING e.shard, e.id, e.lane, e.due_at
                        ), c AS (
                          UPDATE scheduler.schedule c
                             SET open = ARRAY (SELECT o.id FROM scheduler.execution o
                                                WHERE o.shard = c.shard AND o.id = ANY (c.open) AND o.id <> :ref)
                                        || :ref::uuid
                            FROM s
                           WHERE c.shard = s.id AND c.task_id = :task
                        ), i AS (
                          DELETE FROM scheduler.inbox i USING s
                           WHERE i.shard = s.id AND i.xid = :xid::text::xid8 AND i.seq = :seq
                        )
                        SELECT s.id AS shard, e.id, e.lane, e.due_at FROM s LEFT JOIN e ON e.shard = s.id
                        """)
                .params(owned.parameters())
                .param("ref", admission.command.ref())
                .param("task", admission.task)
                .param("waits", admission.waits)
                .param("xid", Long.toString(admission.command.xid()))
                .param("seq", admission.command.seq()));
    }

    private static List<Released> released(JdbcClient.StatementSpec statement) {
        return statement
                .query((row, index) -> new Released(
                        row.getInt("shard"),
                        row.getObject("id", UUID.class),
                        row.getObject("lane", Integer.class),
                        row.getObject("lane") == null ? null : DueRow.instant(row, "due_at")))
                .list();
    }

    /// Stops a task's schedule for good; the command stays until the task can go.
    ///
    /// @return ids of its executions that may be open
    static List<UUID> stop(JdbcClient db, Owned owned, InboxRow command) {
        return db.sql("""
                        WITH s AS MATERIALIZED (
                          SELECT s.id FROM scheduler.shard s
                            JOIN unnest(:myShards::int[], :myEpochs::bigint[]) AS mine(id, epoch) ON mine.id = s.id
                           WHERE s.owner = :me AND s.epoch = mine.epoch
                             FOR SHARE OF s
                        ), c AS (
                          UPDATE scheduler.schedule c SET paused = true FROM s
                           WHERE c.shard = s.id AND c.task_id = :ref
                          RETURNING c.open
                        )
                        SELECT :ref::uuid AS id FROM s UNION ALL SELECT unnest(c.open) FROM c
                        """)
                .params(owned.parameters())
                .param("ref", command.ref())
                .query(UUID.class)
                .list();
    }

    /// The command has had its effect.
    static boolean done(JdbcClient db, Owned owned, InboxRow command) {
        return !db.sql("""
                        WITH s AS MATERIALIZED (
                          SELECT s.id FROM scheduler.shard s
                            JOIN unnest(:myShards::int[], :myEpochs::bigint[]) AS mine(id, epoch) ON mine.id = s.id
                           WHERE s.owner = :me AND s.epoch = mine.epoch
                             FOR SHARE OF s
                        ), i AS (
                          DELETE FROM scheduler.inbox i USING s
                           WHERE i.shard = s.id AND i.xid = :xid::text::xid8 AND i.seq = :seq
                        )
                        SELECT id FROM s
                        """)
                .params(owned.parameters())
                .param("xid", Long.toString(command.xid()))
                .param("seq", command.seq())
                .query(Integer.class)
                .list()
                .isEmpty();
    }

    /// Removes a task that has nothing open any more, with all its versions and payloads. Room in the quota
    /// that its execution has not given back yet is given back here.
    static boolean remove(JdbcClient db, Owned owned, InboxRow command) {
        return !db.sql("""
                        WITH s AS MATERIALIZED (
                          SELECT s.id FROM scheduler.shard s
                            JOIN unnest(:myShards::int[], :myEpochs::bigint[]) AS mine(id, epoch) ON mine.id = s.id
                           WHERE s.owner = :me AND s.epoch = mine.epoch
                             FOR SHARE OF s
                        ), t AS (
                          DELETE FROM scheduler.task t USING s WHERE t.namespace = :namespace AND t.id = :ref
                          RETURNING t.owner
                        ), p AS (
                          DELETE FROM scheduler.payload p USING s WHERE p.namespace = :namespace AND p.task_id = :ref
                        ), y AS (
                          DELETE FROM scheduler.dependency y USING s WHERE y.dependent = :ref
                        ), c AS (
                          DELETE FROM scheduler.schedule c USING s WHERE c.shard = s.id AND c.task_id = :ref
                          RETURNING c.namespace
                        ), q AS (
                          INSERT INTO scheduler.quota_freed (namespace, owner, n)
                          SELECT q.namespace, q.owner, 1 FROM scheduler.quota q
                           WHERE q.namespace = (SELECT namespace FROM c) AND q.owner = (SELECT owner FROM t LIMIT 1)
                        ), i AS (
                          DELETE FROM scheduler.inbox i USING s
                           WHERE i.shard = s.id AND i.ref = :ref AND i.change_seq IS NOT NULL
                             AND (i.kind <> :erase OR i.change_seq <= :changeSeq)
                        )
                        SELECT id FROM s
                        """)
                .params(owned.parameters())
                .param("namespace", command.namespace())
                .param("ref", command.ref())
                .param("erase", Kind.ERASE.code())
                .param("changeSeq", command.changeSeq())
                .query(Integer.class)
                .list()
                .isEmpty();
    }

    /// Takes away everything in which history still names an erased task's owner or holds what it returned.
    static boolean anonymise(JdbcClient db, Owned owned, InboxRow command) {
        return !db.sql("""
                        WITH s AS MATERIALIZED (
                          SELECT s.id FROM scheduler.shard s
                            JOIN unnest(:myShards::int[], :myEpochs::bigint[]) AS mine(id, epoch) ON mine.id = s.id
                           WHERE s.owner = :me AND s.epoch = mine.epoch
                             FOR SHARE OF s
                        ), h AS (
                          UPDATE scheduler.history h
                             SET task_id = '00000000-0000-0000-0000-000000000000',
                                 owner = '00000000-0000-0000-0000-000000000000', result = NULL
                            FROM s
                           WHERE h.task_id = :ref AND h.namespace = :namespace
                          RETURNING h.namespace, h.id
                        ), r AS (
                          DELETE FROM scheduler.result r USING h WHERE r.namespace = h.namespace AND r.execution = h.id
                        ), l AS (
                          DELETE FROM scheduler.log l USING h WHERE l.execution = h.id
                        ), p AS (
                          DELETE FROM scheduler.progress p USING h WHERE p.execution = h.id
                        )
                        SELECT id FROM s
                        """)
                .params(owned.parameters())
                .param("namespace", command.namespace())
                .param("ref", command.ref())
                .query(Integer.class)
                .list()
                .isEmpty();
    }
}
