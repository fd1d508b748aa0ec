package dev.vigil.scheduler.execution;

import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The table `scheduler.dependency` as the owner of the dependent's shard sees it.
///
/// Who asks for a look puts a row of kind 10 (RELEASE) into its inbox. The statements name the number: a parameter
/// would not prove to the planner that the index of such rows has all of them.
final class DependencyRows {
    private static final String LOOK = """
            WITH s AS MATERIALIZED (
              SELECT s.id FROM scheduler.shard s
                JOIN unnest(:myShards::int[], :myEpochs::bigint[]) AS mine(id, epoch) ON mine.id = s.id
               WHERE s.owner = :me AND s.epoch = mine.epoch
                 FOR SHARE OF s
            ), v AS (
              SELECT e.shard, e.id FROM unnest(:dependents::uuid[]) AS v(id)
                JOIN scheduler.execution e ON e.shard = ANY (SELECT id FROM s) AND e.id = v.id
            ), p AS MATERIALIZED (
              SELECT q.predecessor, q.dependent, ended.state,
                     EXISTS (SELECT FROM scheduler.shard x
                               JOIN scheduler.execution o ON o.shard = x.id AND o.id = q.predecessor) AS open
                FROM v JOIN scheduler.dependency q ON q.dependent = v.id
                LEFT JOIN LATERAL (SELECT h.state FROM scheduler.history h
                                    WHERE h.namespace = q.namespace AND h.id = q.predecessor LIMIT 1) ended ON true
            ), met AS (
              DELETE FROM scheduler.dependency q USING p
               WHERE q.predecessor = p.predecessor AND q.dependent = p.dependent AND NOT p.open AND p.state = 1
            ), failed AS (
              SELECT DISTINCT dependent FROM p WHERE NOT open AND state IS DISTINCT FROM 1
            ), free AS (
              UPDATE scheduler.execution e
                 SET lane = -201 - e.lane, due_at = greatest(e.due_at, clock_timestamp())
                FROM v
               WHERE e.shard = v.shard AND e.id = v.id AND e.lane < -200
                 AND NOT EXISTS (SELECT FROM p WHERE p.dependent = v.id AND (p.open OR p.state IS DISTINCT FROM 1))
              RETURNING e.shard, e.id, e.lane, e.due_at
            ), i AS (
              DELETE FROM scheduler.inbox i USING s
               WHERE i.shard = s.id AND i.kind = 10 AND i.ref = ANY (:dependents::uuid[])
                 AND i.ref NOT IN (SELECT dependent FROM failed)
            )
            SELECT s.id AS shard, x.id, x.lane, x.due_at
              FROM s LEFT JOIN (SELECT shard, id, lane, due_at FROM free
                                UNION ALL
                                SELECT v.shard, v.id, NULL, NULL FROM failed f JOIN v ON v.id = f.dependent) x
                ON x.shard = s.id
            """;

    private DependencyRows() {}

    /// A dependent.
    record Dependent(int shard, UUID id) {}

    /// What is asked to be looked at, since whenever.
    static List<Dependent> asked(JdbcClient db, Collection<Integer> shards) {
        return db.sql("SELECT shard, ref AS id FROM scheduler.inbox WHERE shard = ANY (:shards::int[]) AND kind = 10")
                .param("shards", shards.toArray(Integer[]::new))
                .query((row, index) -> new Dependent(row.getInt("shard"), row.getObject("id", UUID.class)))
                .list();
    }

    /// Dependents that are so new that a statement which ends a predecessor may have begun before they were stored.
    static List<Dependent> young(JdbcClient db, Collection<Integer> shards) {
        return db.sql("""
                        SELECT DISTINCT shard, dependent AS id FROM scheduler.dependency
                         WHERE shard = ANY (:shards::int[]) AND at > clock_timestamp() - interval '5 minutes'
                        """)
                .param("shards", shards.toArray(Integer[]::new))
                .query((row, index) -> new Dependent(row.getInt("shard"), row.getObject("id", UUID.class)))
                .list();
    }

    /// A dependent that was let go when it has a lane, that is not to run when it has none, or only a shard that
    /// passed when `id` is null.
    record Looked(
            int shard,
            @Nullable UUID id,
            @Nullable Integer lane,
            @Nullable Instant dueAt) {}

    /// Looks at the predecessors of dependents: rows of those that succeeded go, and a dependent without rows is let
    /// go. What asked for it goes too, unless a predecessor failed: then not before the dependent has ended.
    static List<Looked> look(JdbcClient db, Owned owned, Collection<UUID> dependents) {
        return db.sql(LOOK)
                .params(owned.parameters())
                .param("dependents", dependents.toArray(UUID[]::new))
                .query((row, index) -> new Looked(
                        row.getInt("shard"),
                        row.getObject("id", UUID.class),
                        row.getObject("lane", Integer.class),
                        row.getObject("lane") == null ? null : DueRow.instant(row, "due_at")))
                .list();
    }
}
