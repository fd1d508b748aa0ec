package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.task.Columns;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The table `scheduler.permit` and what is taken in `scheduler.concurrency`. Each statement is about one limited
/// owner, so two cores never wait for each other in a ring.
final class PermitRows {
    private PermitRows() {}

    /// Who is limited.
    record Limited(int namespace, UUID owner) {}

    /// Permits of a shard.
    record Moved(int shard, Limited key, int n) {}

    /// How a limit stands.
    ///
    /// @param wanted whether somebody got none within the last seconds
    record Standing(int most, int taken, boolean wanted) {
        static final Standing NONE = new Standing(Integer.MAX_VALUE, 0, false);
    }

    static List<Moved> held(JdbcClient db, Collection<Integer> shards) {
        return db.sql("SELECT shard, namespace, owner, n FROM scheduler.permit WHERE shard = ANY (:shards::int[])")
                .param("shards", shards.toArray(Integer[]::new))
                .query((row, index) -> new Moved(
                        row.getInt("shard"),
                        new Limited(row.getInt("namespace"), row.getObject("owner", UUID.class)),
                        row.getInt("n")))
                .list();
    }

    /// Takes permits for shards, as many as there are. The limit's row is locked while it is counted.
    ///
    /// @return for each shard that passed, how many came
    static Map<Integer, Integer> take(JdbcClient db, Owned owned, Limited key, List<Moved> moves) {
        var came = new HashMap<Integer, Integer>();
        db.sql("""
                        WITH s AS MATERIALIZED (
                          SELECT s.id FROM scheduler.shard s
                            JOIN unnest(:myShards::int[], :myEpochs::bigint[]) AS mine(id, epoch) ON mine.id = s.id
                           WHERE s.owner = :me AND s.epoch = mine.epoch
                             FOR SHARE OF s
                        ), v AS (
                          SELECT v.shard, v.n, coalesce(sum(v.n) OVER (ORDER BY v.shard ROWS BETWEEN UNBOUNDED PRECEDING
                                                                       AND 1 PRECEDING), 0) AS before
                            FROM unnest(:shards::int[], :ns::int[]) AS v(shard, n) JOIN s ON s.id = v.shard
                        ), k AS (
                          SELECT coalesce(sum(n), 0) AS n FROM v
                        ), c AS (
                          UPDATE scheduler.concurrency c
                             SET taken = c.taken + least(k.n, greatest(0, c.most - c.taken)),
                                 denied_at = CASE WHEN c.most - c.taken < k.n THEN clock_timestamp()
                                                  ELSE c.denied_at END
                            FROM k WHERE c.namespace = :namespace AND c.owner = :owner
                          RETURNING new.taken - old.taken AS n
                        ), g AS (
                          SELECT v.shard, least(v.n, greatest(0, c.n - v.before))::int AS n FROM v CROSS JOIN c
                        ), p AS (
                          INSERT INTO scheduler.permit AS p (shard, namespace, owner, n)
                          SELECT g.shard, :namespace, :owner, g.n FROM g WHERE g.n > 0
                              ON CONFLICT (shard, namespace, owner) DO UPDATE SET n = p.n + excluded.n
                        )
                        SELECT s.id, coalesce(g.n, 0) AS n FROM s LEFT JOIN g ON g.shard = s.id
                        """)
                .params(owned.parameters())
                .params(columns(moves).arrays())
                .param("namespace", key.namespace)
                .param("owner", key.owner)
                .query((row, index) -> came.put(row.getInt("id"), row.getInt("n")))
                .list();
        return came;
    }

    /// Gives permits of shards back.
    ///
    /// @return shards that passed
    static Set<Integer> giveBack(JdbcClient db, Owned owned, Limited key, List<Moved> moves) {
        return Set.copyOf(db.sql("""
                        WITH s AS MATERIALIZED (
                          SELECT s.id FROM scheduler.shard s
                            JOIN unnest(:myShards::int[], :myEpochs::bigint[]) AS mine(id, epoch) ON mine.id = s.id
                           WHERE s.owner = :me AND s.epoch = mine.epoch
                             FOR SHARE OF s
                        ), v AS (
                          SELECT v.* FROM unnest(:shards::int[], :ns::int[]) AS v(shard, n) JOIN s ON s.id = v.shard
                        ), p AS (
                          UPDATE scheduler.permit p SET n = p.n - v.n FROM v
                           WHERE p.shard = v.shard AND p.namespace = :namespace AND p.owner = :owner
                          RETURNING v.n
                        ), c AS (
                          UPDATE scheduler.concurrency c SET taken = greatest(0, c.taken - p.n)
                            FROM (SELECT sum(n) AS n FROM p HAVING count(*) > 0) p
                           WHERE c.namespace = :namespace AND c.owner = :owner
                        )
                        SELECT id FROM s
                        """)
                .params(owned.parameters())
                .params(columns(moves).arrays())
                .param("namespace", key.namespace)
                .param("owner", key.owner)
                .query(Integer.class)
                .list());
    }

    private static Columns<Moved> columns(List<Moved> moves) {
        return new Columns<>(moves).add("shards", new Integer[0], Moved::shard).add("ns", new Integer[0], Moved::n);
    }

    static Map<Limited, Standing> standings(JdbcClient db, Collection<Limited> keys) {
        var standings = new HashMap<Limited, Standing>();
        db.sql("""
                        SELECT c.namespace, c.owner, c.most, c.taken,
                               coalesce(c.denied_at > clock_timestamp() - interval '3 seconds', false) AS wanted
                          FROM unnest(:namespaces::int[], :owners::uuid[]) AS v(namespace, owner)
                          JOIN scheduler.concurrency c USING (namespace, owner)
                        """)
                .params(new Columns<>(List.copyOf(keys))
                        .add("namespaces", new Integer[0], Limited::namespace)
                        .add("owners", new UUID[0], Limited::owner)
                        .arrays())
                .query((row, index) -> standings.put(
                        new Limited(row.getInt("namespace"), row.getObject("owner", UUID.class)),
                        new Standing(row.getInt("most"), row.getInt("taken"), row.getBoolean("wanted"))))
                .list();
        return standings;
    }
}
