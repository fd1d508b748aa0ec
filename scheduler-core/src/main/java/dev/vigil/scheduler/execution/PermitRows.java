package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.task.Coded;
import dev.vigil.scheduler.task.Columns;
import dev.vigil.scheduler.task.Limited;
import dev.vigil.scheduler.task.Limited.Kind;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The table `scheduler.permit` and what is taken in `scheduler.concurrency`. Each statement is about one limit, so two
/// cores never wait for each other in a ring.
final class PermitRows {
    private PermitRows() {}

    /// Permits of a shard; less than zero where they go away.
    record Moved(int shard, Limited key, int n) {}

    /// How a limit stands.
    ///
    /// @param deniedAt when somebody last got fewer than he asked for; null when that is seconds ago
    record Standing(int most, int taken, @Nullable Instant deniedAt) {
        static final Standing NONE = new Standing(Integer.MAX_VALUE, 0, null);

        Standing and(int more) {
            return new Standing(most, taken + more, deniedAt);
        }
    }

    /// Permits that came.
    ///
    /// @param came     how many, of each shard that passed
    /// @param deniedAt by the database's clock, when they were too few; null when they were not
    record Taken(Map<Integer, Integer> came, @Nullable Instant deniedAt) {
        int sum() {
            return came.values().stream().mapToInt(n -> n).sum();
        }
    }

    static List<Moved> held(JdbcClient db, Collection<Integer> shards) {
        return db.sql("""
                        SELECT p.shard, p.n, c.kind, c.namespace, c.owner
                          FROM scheduler.permit p JOIN scheduler.concurrency c USING (namespace, owner)
                         WHERE p.shard = ANY (:shards::int[])
                        """)
                .param("shards", shards.toArray(Integer[]::new))
                .query((row, index) -> new Moved(row.getInt("shard"), limited(row), row.getInt("n")))
                .list();
    }

    private static Limited limited(ResultSet row) throws SQLException {
        return new Limited(
                Coded.of(Kind.class, row.getInt("kind")), row.getInt("namespace"), row.getObject("owner", UUID.class));
    }

    /// Takes permits of one limit for shards, as many as there are. The limit's row is locked while it is counted.
    ///
    /// @param beyond also those that there are not: for what runs already
    /// @param moves who comes first gets his first
    static Taken take(JdbcClient db, Owned owned, List<Moved> moves, boolean beyond) {
        Limited key = moves.getFirst().key;
        var came = new HashMap<Integer, Integer>();
        List<Optional<Instant>> denied = db.sql("""
                        WITH s AS MATERIALIZED (
                          SELECT s.id FROM scheduler.shard s
                            JOIN unnest(:myShards::int[], :myEpochs::bigint[]) AS mine(id, epoch) ON mine.id = s.id
                           WHERE s.owner = :me AND s.epoch = mine.epoch
                             FOR SHARE OF s
                        ), v AS (
                          SELECT v.shard, v.n, coalesce(sum(v.n) OVER (ORDER BY v.i ROWS BETWEEN UNBOUNDED PRECEDING
                                                                       AND 1 PRECEDING), 0) AS before
                            FROM unnest(:shards::int[], :ns::int[]) WITH ORDINALITY AS v(shard, n, i)
                            JOIN s ON s.id = v.shard
                        ), k AS (
                          SELECT coalesce(sum(n), 0) AS n FROM v
                        ), c AS (
                          UPDATE scheduler.concurrency c
                             SET taken = c.taken + CASE WHEN :beyond THEN k.n
                                                        ELSE least(k.n, greatest(0, c.most - c.taken)) END,
                                 denied_at = CASE WHEN NOT :beyond AND c.most - c.taken < k.n THEN clock_timestamp()
                                                  ELSE c.denied_at END
                            FROM k WHERE c.namespace = :namespace AND c.owner = :owner
                          RETURNING new.taken - old.taken AS n, nullif(new.denied_at, old.denied_at) AS denied_at
                        ), g AS (
                          SELECT v.shard, least(v.n, greatest(0, c.n - v.before))::int AS n FROM v CROSS JOIN c
                        ), p AS (
                          INSERT INTO scheduler.permit AS p (shard, namespace, owner, n)
                          SELECT g.shard, :namespace, :owner, g.n FROM g WHERE g.n > 0
                              ON CONFLICT (shard, namespace, owner) DO UPDATE SET n = p.n + excluded.n
                        )
                        SELECT s.id, coalesce(g.n, 0) AS n, (SELECT denied_at FROM c) AS denied_at
                          FROM s LEFT JOIN g ON g.shard = s.id
                        """)
                .params(owned.parameters())
                .params(columns(moves).arrays())
                .param("beyond", beyond)
                .param("namespace", key.namespace())
                .param("owner", key.id())
                .query((row, index) -> {
                    came.put(row.getInt("id"), row.getInt("n"));
                    return Optional.ofNullable(deniedAt(row));
                })
                .list();
        return new Taken(came, denied.isEmpty() ? null : denied.getFirst().orElse(null));
    }

    private static @Nullable Instant deniedAt(ResultSet row) throws SQLException {
        OffsetDateTime at = row.getObject("denied_at", OffsetDateTime.class);
        return at == null ? null : at.toInstant();
    }

    /// Moves permits of one limit between shards of an owner: all of them, or none when one of the shards is not his.
    /// What is taken in all stays as it is, so the limit's row is left alone.
    ///
    /// @return shards that passed
    static Set<Integer> move(JdbcClient db, Owned owned, List<Moved> moves) {
        Limited key = moves.getFirst().key;
        return Set.copyOf(db.sql("""
                        WITH s AS MATERIALIZED (
                          SELECT s.id FROM scheduler.shard s
                            JOIN unnest(:myShards::int[], :myEpochs::bigint[]) AS mine(id, epoch) ON mine.id = s.id
                           WHERE s.owner = :me AND s.epoch = mine.epoch
                             FOR SHARE OF s
                        ), v AS (
                          SELECT v.shard, v.n FROM unnest(:shards::int[], :ns::int[]) AS v(shard, n)
                           WHERE (SELECT count(*) FROM s) = :count
                        ), l AS (
                          UPDATE scheduler.permit p SET n = p.n + v.n FROM v
                           WHERE v.n < 0 AND p.shard = v.shard AND p.namespace = :namespace AND p.owner = :owner
                          RETURNING v.n
                        ), g AS (
                          INSERT INTO scheduler.permit AS p (shard, namespace, owner, n)
                          SELECT v.shard, :namespace, :owner, v.n FROM v
                           WHERE v.n > 0 AND (SELECT sum(l.n) FROM l) + (SELECT sum(v.n) FROM v WHERE v.n > 0) = 0
                              ON CONFLICT (shard, namespace, owner) DO UPDATE SET n = p.n + excluded.n
                        )
                        SELECT id FROM s
                        """)
                .params(owned.parameters())
                .params(columns(moves).arrays())
                .param("count", moves.size())
                .param("namespace", key.namespace())
                .param("owner", key.id())
                .query(Integer.class)
                .list());
    }

    /// Gives permits of shards back, all of one limit.
    ///
    /// @return shards that passed
    static Set<Integer> giveBack(JdbcClient db, Owned owned, List<Moved> moves) {
        Limited key = moves.getFirst().key;
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
                .param("namespace", key.namespace())
                .param("owner", key.id())
                .query(Integer.class)
                .list());
    }

    private static Columns<Moved> columns(List<Moved> moves) {
        return new Columns<>(moves).add("shards", new Integer[0], Moved::shard).add("ns", new Integer[0], Moved::n);
    }

    static Map<Limited, Standing> standings(JdbcClient db, Collection<Limited> keys) {
        var standings = new HashMap<Limited, Standing>();
        db.sql("""
                        SELECT c.kind, c.namespace, c.owner, c.most, c.taken,
                               CASE WHEN c.denied_at > clock_timestamp() - interval '3 seconds'
                                    THEN c.denied_at END AS denied_at
                          FROM unnest(:namespaces::int[], :owners::uuid[]) AS v(namespace, owner)
                          JOIN scheduler.concurrency c USING (namespace, owner)
                        """)
                .params(new Columns<>(List.copyOf(keys))
                        .add("namespaces", new Integer[0], Limited::namespace)
                        .add("owners", new UUID[0], Limited::id)
                        .arrays())
                .query((row, index) -> standings.put(
                        limited(row), new Standing(row.getInt("most"), row.getInt("taken"), deniedAt(row))))
                .list();
        return standings;
    }
}
