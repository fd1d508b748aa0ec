package dev.vigil.scheduler.execution;

import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The statements by which what is over goes. Each is short and a transaction of its own; none is fenced, for they
/// touch only what no owner of a shard needs any more, and any core may run them at any time.
final class UpkeepRows {
    /// Rows that one statement looks at.
    static final int BATCH = 5_000;

    private UpkeepRows() {}

    /// Makes one partition ahead of time, or drops one that is over, or removes a batch from a default partition.
    ///
    /// @return what was done; empty when nothing is left to do or another core is at it
    static Optional<String> partitions(JdbcClient db, Retention retention) {
        return db.sql("SELECT scheduler.upkeep(:dispatches::interval, :ended::interval)")
                .param("dispatches", interval(retention.dispatches()))
                .param("ended", interval(retention.ended()))
                .query((row, index) -> Optional.ofNullable(row.getString(1)))
                .single();
    }

    /// Where looking through the tasks goes on.
    ///
    /// @param version of the last one looked at
    record Place(int namespace, UUID id, int version) {
        static final Place START = new Place(Integer.MIN_VALUE, new UUID(0, 0), 0);
    }

    /// What a look at tasks came to.
    ///
    /// @param next    where to go on; null at the end
    /// @param removed rows of tasks
    record Swept(@Nullable Place next, int removed) {}

    /// Looks at the next tasks and removes, with payloads that nobody needs then, what nothing refers to: one_time
    /// tasks that are finished and of which history knows nothing any more, and versions that are not the newest. A
    /// shard with a command that is not carried out is left for the next time.
    static Swept tasks(JdbcClient db, Retention retention, Place from) {
        return db.sql("""
                        WITH looked AS MATERIALIZED (
                          SELECT t.namespace, t.id, t.version, t.shard, t.kind, t.created_at
                            FROM scheduler.task t
                           WHERE (t.namespace, t.id, t.version) > (:namespace, :id, :version)
                           ORDER BY t.namespace, t.id, t.version LIMIT :batch
                        ), over AS MATERIALIZED (
                          SELECT l.namespace, l.id, l.version FROM looked l
                           WHERE NOT EXISTS (SELECT FROM scheduler.inbox i
                                              WHERE i.shard = l.shard AND i.change_seq IS NOT NULL)
                             AND NOT EXISTS (SELECT FROM scheduler.execution e
                                              WHERE e.shard = l.shard AND e.id = l.id AND e.version = l.version)
                             AND NOT EXISTS (SELECT FROM scheduler.history h
                                              WHERE h.task_id = l.id AND h.version = l.version)
                             AND CASE WHEN EXISTS (SELECT FROM scheduler.task n
                                                    WHERE n.namespace = l.namespace AND n.id = l.id
                                                      AND n.version > l.version)
                                      THEN NOT EXISTS (SELECT FROM scheduler.schedule c
                                                        WHERE c.shard = l.shard AND c.task_id = l.id
                                                          AND (c.version = l.version
                                                               OR EXISTS (SELECT FROM scheduler.execution e
                                                                           WHERE e.shard = c.shard
                                                                             AND e.id = ANY (c.open)
                                                                             AND e.version = l.version)))
                                      ELSE l.kind = 1 AND l.created_at < clock_timestamp() - :ended::interval
                                           AND NOT EXISTS (SELECT FROM scheduler.execution e
                                                            WHERE e.shard = l.shard AND e.id = l.id)
                                           AND NOT EXISTS (SELECT FROM scheduler.history h WHERE h.task_id = l.id)
                                 END
                        ), gone AS (
                          DELETE FROM scheduler.task t USING over o
                           WHERE t.namespace = o.namespace AND t.id = o.id AND t.version = o.version
                          RETURNING t.namespace, t.id, t.payload_version
                        ), p AS (
                          DELETE FROM scheduler.payload p USING gone g
                           WHERE p.namespace = g.namespace AND p.task_id = g.id AND p.version = g.payload_version
                             AND NOT EXISTS (SELECT FROM scheduler.task t
                                              WHERE t.namespace = g.namespace AND t.id = g.id
                                                AND t.payload_version = g.payload_version
                                                AND NOT EXISTS (SELECT FROM over o
                                                                 WHERE o.namespace = t.namespace AND o.id = t.id
                                                                   AND o.version = t.version))
                        )
                        SELECT last.*, (SELECT count(*) FROM gone) AS removed, (SELECT count(*) FROM looked) AS looked
                          FROM (SELECT 1) one
                          LEFT JOIN (SELECT namespace, id, version FROM looked
                                      ORDER BY namespace DESC, id DESC, version DESC LIMIT 1) last ON true
                        """)
                .param("namespace", from.namespace)
                .param("id", from.id)
                .param("version", from.version)
                .param("batch", BATCH)
                .param("ended", interval(retention.ended()))
                .query((row, index) -> new Swept(
                        row.getInt("looked") < BATCH
                                ? null
                                : new Place(
                                        row.getInt("namespace"),
                                        row.getObject("id", UUID.class),
                                        row.getInt("version")),
                        row.getInt("removed")))
                .single();
    }

    /// Removes uploaded results of which the execution is neither open nor in history any more.
    ///
    /// @return how many
    static int results(JdbcClient db, Retention retention) {
        return db.sql("""
                        DELETE FROM scheduler.result r
                         WHERE r.ctid = ANY (ARRAY (
                           SELECT o.ctid FROM scheduler.result o
                            WHERE o.at < clock_timestamp() - :ended::interval
                              AND NOT EXISTS (SELECT FROM scheduler.history h
                                               WHERE h.namespace = o.namespace AND h.id = o.execution)
                              AND NOT EXISTS (SELECT FROM scheduler.shard s
                                                JOIN scheduler.execution e ON e.shard = s.id AND e.id = o.execution)
                            LIMIT :batch))
                        """)
                .param("ended", interval(retention.ended()))
                .param("batch", BATCH)
                .update();
    }

    /// Removes what kept executions from running that nobody remembers any more.
    ///
    /// @return how many rows
    static int dependencies(JdbcClient db) {
        return db.sql("""
                        DELETE FROM scheduler.dependency r
                         WHERE r.ctid = ANY (ARRAY (
                           SELECT q.ctid FROM scheduler.dependency q
                            WHERE NOT EXISTS (SELECT FROM scheduler.history h
                                               WHERE h.namespace = q.namespace AND h.id = q.dependent)
                              AND NOT EXISTS (SELECT FROM scheduler.execution e
                                               WHERE e.shard = q.shard AND e.id = q.dependent)
                            LIMIT :batch))
                        """).param("batch", BATCH).update();
    }

    private static String interval(Duration duration) {
        return duration.toSeconds() + " seconds";
    }
}
