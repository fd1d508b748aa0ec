package dev.vigil.scheduler.task;

import dev.vigil.scheduler.task.ShardHints.ShardHint;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The inbox as those who command see it. A command is one row, one step of the shard's `change_seq` and its
/// audit event, in one statement. Dispatch requires the `change_seq` that the owner has carried out, so once a
/// command is answered, no dispatch that ignores it can commit, whether or not the owner was told.
public final class Commands {
    private final JdbcClient db;
    private final ShardHints hints;

    /// Commands of this database; owners are told through `hints`.
    public Commands(JdbcClient db, ShardHints hints) {
        this.db = db;
        this.hints = hints;
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
            List<ShardHint> elsewhere = NearbyOwners.tell(List.of(ShardHint.command(stored.shard)));
            if (!elsewhere.isEmpty()) {
                hints.changed(elsewhere);
            }
            return new CommandResult.Accepted();
        }
        return stored.known ? new CommandResult.Finished() : new CommandResult.Absent();
    }

    private record Stored(@Nullable Integer shard, boolean known) {}

    /// What a row of the inbox asks for. The codes are stored.
    public enum Kind implements Coded {
        CREATED(1),
        PAUSE(2),
        RESUME(3),
        DELETE(4),
        CANCEL(5),
        /// Deletes a task, and takes out of history what tells of its subject.
        ERASE(6);

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
