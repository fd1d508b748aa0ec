package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.task.Coded;
import dev.vigil.scheduler.task.Columns;
import dev.vigil.scheduler.task.Overlap;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The statements by which an owner lets waiting executions of schedules go.
final class SuccessionRows {
    private static final String LET = """
            WITH s AS MATERIALIZED (
              SELECT s.id FROM scheduler.shard s
                JOIN unnest(:myShards::int[], :myEpochs::bigint[]) AS mine(id, epoch) ON mine.id = s.id
               WHERE s.owner = :me AND s.epoch = mine.epoch
                 FOR SHARE OF s
            ), w AS (
              SELECT e.shard, e.id, e.lane, e.due_at, c.task_id, c.paused, t.overlap,
                     count(*) FILTER (WHERE e.lane >= -100) OVER (PARTITION BY c.shard, c.task_id) AS active,
                     row_number() OVER (PARTITION BY c.shard, c.task_id, e.lane < -100
                                        ORDER BY e.due_at, e.id) AS first,
                     row_number() OVER (PARTITION BY c.shard, c.task_id, e.lane < -100
                                        ORDER BY e.due_at DESC, e.id DESC) AS last
                FROM unnest(:shards::int[], :tasks::uuid[]) AS v(shard, task)
                JOIN s ON s.id = v.shard
                JOIN scheduler.schedule c ON c.shard = v.shard AND c.task_id = v.task
                JOIN scheduler.task t ON t.namespace = c.namespace AND t.id = c.task_id AND t.version = c.version
                JOIN scheduler.execution e ON e.shard = c.shard AND e.id = ANY (c.open)
            ), u AS (
              UPDATE scheduler.execution e SET lane = CASE WHEN w.paused THEN e.lane + 100 ELSE -101 - e.lane END
                FROM w
               WHERE e.shard = w.shard AND e.id = w.id AND w.lane < -100
                 AND (w.overlap = :allow
                      OR w.active = 0 AND CASE WHEN w.overlap = :replace THEN w.last ELSE w.first END = 1)
              RETURNING e.shard, e.id, e.lane
            )
            SELECT s.id AS shard, w.task_id, w.id, coalesce(u.lane, w.lane) AS lane, w.due_at, w.overlap,
                   u.id IS NOT NULL AS moved
              FROM s LEFT JOIN w ON w.shard = s.id LEFT JOIN u ON u.shard = w.shard AND u.id = w.id
             ORDER BY w.due_at, w.id
            """;

    private SuccessionRows() {}

    /// A task of which executions may wait.
    record Asked(int shard, UUID task) {}

    /// An open execution of such a task as it lies now, or only a shard that passed when `task` is null.
    ///
    /// @param moved whether it has just been let go
    record Turn(int shard, @Nullable UUID task, UUID id, int lane, Instant dueAt, Overlap overlap, boolean moved) {}

    /// Lets go what may: the first one that waits when nothing else of its task is open, by `replace` the last one, by
    /// `allow` all.
    ///
    /// @return all that is open of these tasks, oldest first
    static List<Turn> let(JdbcClient db, Owned owned, List<Asked> asked) {
        return db.sql(LET)
                .params(owned.parameters())
                .params(new Columns<>(asked)
                        .add("shards", new Integer[0], Asked::shard)
                        .add("tasks", new UUID[0], Asked::task)
                        .arrays())
                .param("allow", Overlap.ALLOW.code())
                .param("replace", Overlap.REPLACE.code())
                .query((row, index) -> {
                    UUID task = row.getObject("task_id", UUID.class);
                    return new Turn(
                            row.getInt("shard"),
                            task,
                            task == null ? new UUID(0, 0) : row.getObject("id", UUID.class),
                            row.getInt("lane"),
                            task == null ? Instant.EPOCH : DueRow.instant(row, "due_at"),
                            Coded.of(Overlap.class, row.getInt("overlap")),
                            row.getBoolean("moved"));
                })
                .list();
    }

    /// Tasks of which executions wait.
    static List<Asked> waiting(JdbcClient db, Collection<Integer> shards) {
        return db.sql("""
                        SELECT DISTINCT e.shard, e.task_id FROM scheduler.execution e
                         WHERE e.shard = ANY (:shards::int[]) AND e.lane BETWEEN -200 AND -101
                        """)
                .param("shards", shards.toArray(Integer[]::new))
                .query((row, index) -> new Asked(row.getInt("shard"), row.getObject("task_id", UUID.class)))
                .list();
    }
}
