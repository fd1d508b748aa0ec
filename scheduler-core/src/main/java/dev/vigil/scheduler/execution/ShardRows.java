package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.Adoption.Claim;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The tables `scheduler.core` and `scheduler.shard` as cores share the shards among them.
final class ShardRows {
    private ShardRows() {}

    /// A renewal, and what it saw.
    ///
    /// @param at      the database's time
    /// @param cluster which PostgreSQL answered
    /// @param seen    what was over then; null when the core has only just entered
    /// @param polled  all cores and shards; empty when the core has only just entered
    record Beat(Instant at, Cluster cluster, @Nullable Snapshot seen, List<Polled> polled) {}

    /// Enters a core, or enters it again after others took it for dead.
    static Beat enter(JdbcClient db, UUID incarnation, String sessionUrl) {
        return db.sql("""
                        INSERT INTO scheduler.core (incarnation, session_url) VALUES (:incarnation, :url)
                            ON CONFLICT (incarnation) DO UPDATE SET beat = core.beat + 1
                        RETURNING clock_timestamp() AS at,
                                  (SELECT system_identifier::text FROM pg_control_system()) AS id,
                                  substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) AS timeline,
                                  NULL::text AS seen
                        """)
                .param("incarnation", incarnation)
                .param("url", sessionUrl)
                .query((row, index) -> beat(row))
                .single();
    }

    /// Renews a core and looks at all cores with their beat and all shards with their newest command: all that an
    /// idle core asks of the database, in one statement.
    ///
    /// News comes and goes with every task, and while vacuum is held up what has gone lies about: only what those
    /// wrote is looked at that ran at a moment, and what began since. `OFFSET 0` keeps the planner from looking at
    /// the news of all shards at once.
    ///
    /// @param told that moment; null to take all shards to have news, without a look
    /// @return empty when others took this core for dead and removed it
    static Optional<Beat> beat(JdbcClient db, UUID incarnation, @Nullable Snapshot told) {
        record Seen(@Nullable Beat beat, @Nullable Polled polled) {}
        List<Seen> rows = db.sql("""
                        WITH mine AS (
                          UPDATE scheduler.core SET beat = beat + 1 WHERE incarnation = :incarnation
                          RETURNING clock_timestamp() AS at,
                                    (SELECT system_identifier::text FROM pg_control_system()) AS id,
                                    substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) AS timeline,
                                    pg_current_snapshot()::text AS seen
                        )
                        SELECT at, id, timeline, seen, NULL::int AS shard, NULL::uuid AS owner, 0::bigint AS epoch,
                               0::bigint AS number, false AS orphaned, false AS news
                          FROM mine
                        UNION ALL
                        SELECT NULL, NULL, NULL, NULL, NULL, incarnation, 0, beat, false, false FROM scheduler.core
                        UNION ALL
                        SELECT NULL, NULL, NULL, NULL, s.id, s.owner, s.epoch, s.change_seq, s.orphaned,
                               :next::text IS NULL
                               OR EXISTS (SELECT FROM scheduler.inbox i
                                           WHERE i.shard = s.id AND i.xid >= :next::text::xid8 AND i.kind IN (1, 10)
                                          OFFSET 0)
                               OR EXISTS (SELECT FROM scheduler.inbox i
                                           WHERE i.shard = s.id AND i.kind IN (1, 10)
                                             AND i.xid = ANY (string_to_array(:running::text, ',')::xid8[])
                                          OFFSET 0)
                          FROM scheduler.shard s
                        """)
                .param("incarnation", incarnation)
                .param("next", told == null ? null : told.nextText())
                .param("running", told == null ? null : told.runningText())
                .query((row, index) ->
                        row.getString("id") == null ? new Seen(null, polled(row)) : new Seen(beat(row), null))
                .list();
        List<Polled> polled =
                rows.stream().map(Seen::polled).filter(Objects::nonNull).toList();
        return rows.stream()
                .map(Seen::beat)
                .filter(Objects::nonNull)
                .findFirst()
                .map(beat -> new Beat(beat.at, beat.cluster, beat.seen, polled));
    }

    private static Beat beat(ResultSet row) throws SQLException {
        String seen = row.getString("seen");
        return new Beat(
                DueRow.instant(row, "at"),
                new Cluster(row.getString("id"), row.getString("timeline")),
                seen == null ? null : Snapshot.of(seen),
                List.of());
    }

    private static Polled polled(ResultSet row) throws SQLException {
        return new Polled(
                row.getObject("shard", Integer.class),
                row.getObject("owner", UUID.class),
                row.getLong("epoch"),
                row.getLong("number"),
                row.getBoolean("orphaned"),
                row.getBoolean("news"));
    }

    static void leave(JdbcClient db, UUID incarnation) {
        db.sql("DELETE FROM scheduler.core WHERE incarnation = :incarnation")
                .param("incarnation", incarnation)
                .update();
    }

    /// A core or a shard, as a poll sees it.
    ///
    /// @param shard null for a core
    /// @param owner the core, or the owner of the shard; null when it has none
    /// @param number beat of a core, newest command of a shard
    /// @param news  whether there is news in the shard, of creation or of dependents to look at
    record Polled(
            @Nullable Integer shard, @Nullable UUID owner, long epoch, long number, boolean orphaned, boolean news) {}

    /// Takes shards that have no owner. Only a core that has not been removed may.
    static List<Claim> claim(JdbcClient db, UUID incarnation, int atMost) {
        return db.sql("""
                        WITH me AS (
                          SELECT incarnation FROM scheduler.core WHERE incarnation = :me FOR SHARE
                        ), free AS (
                          SELECT s.id FROM scheduler.shard s WHERE s.owner IS NULL
                           ORDER BY s.orphaned DESC, s.id LIMIT :limit
                             FOR UPDATE SKIP LOCKED
                        )
                        UPDATE scheduler.shard s SET owner = :me, epoch = s.epoch + 1
                          FROM free, me
                         WHERE s.id = free.id
                        RETURNING s.id, s.epoch, s.change_seq, s.orphaned
                        """)
                .param("me", incarnation)
                .param("limit", atMost)
                .query((row, index) -> new Claim(
                        row.getInt("id"), row.getLong("epoch"), row.getLong("change_seq"), row.getBoolean("orphaned")))
                .list();
    }

    /// Gives shards up. Their executions run on, and the next owner adopts them.
    ///
    /// @param orphaned those with executions of an owner that vanished, of which nothing has been heard yet
    static void release(JdbcClient db, Owned owned, Collection<Integer> orphaned) {
        db.sql("""
                        UPDATE scheduler.shard s SET owner = NULL, orphaned = s.id = ANY (:orphaned::int[])
                          FROM unnest(:myShards::int[], :myEpochs::bigint[]) AS mine(id, epoch)
                         WHERE s.id = mine.id AND s.owner = :me AND s.epoch = mine.epoch
                        """)
                .params(owned.parameters())
                .param("orphaned", orphaned.toArray(Integer[]::new))
                .update();
    }

    /// Ends all database sessions of a core that is taken for dead: whatever statement it is in is over after
    /// this, so it can neither go on nor hold a lock.
    static void endSessions(JdbcClient db, UUID dead) {
        db.sql("""
                        SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                         WHERE application_name = :name AND usename = current_user
                        """)
                .param("name", CoreConnection.applicationName(dead))
                .query(Boolean.class)
                .list();
    }

    /// Removes a core whose beat still stands where it stood, and frees its shards under a new epoch.
    ///
    /// @return how many shards it had; 0 also when it is alive after all
    static int bury(JdbcClient db, UUID dead, long beat) {
        return db.sql("""
                        WITH gone AS (
                          DELETE FROM scheduler.core WHERE incarnation = :dead AND beat = :beat RETURNING incarnation
                        )
                        UPDATE scheduler.shard SET owner = NULL, epoch = epoch + 1, orphaned = true
                         WHERE owner = :dead
                           AND (EXISTS (SELECT FROM gone)
                                OR NOT EXISTS (SELECT FROM scheduler.core WHERE incarnation = :dead))
                        """).param("dead", dead).param("beat", beat).update();
    }

    /// Which PostgreSQL this is.
    record Cluster(String systemIdentifier, String timeline) {}

    static Cluster cluster(JdbcClient db) {
        return db.sql("""
                        SELECT system_identifier::text AS id,
                               substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) AS timeline
                          FROM pg_control_system()
                        """)
                .query((row, index) -> new Cluster(row.getString("id"), row.getString("timeline")))
                .single();
    }

    /// Compares the cluster with the one on record. Another one may have lost epochs that were handed out, so all
    /// shards are freed far above them, once, by whoever sees it first.
    ///
    /// @return whether it was another one
    static boolean recognise(JdbcClient db, Cluster cluster) {
        int first = db.sql("""
                        INSERT INTO scheduler.cluster (system_identifier, timeline) VALUES (:id, :timeline)
                            ON CONFLICT (one) DO NOTHING
                        """)
                .param("id", cluster.systemIdentifier)
                .param("timeline", cluster.timeline)
                .update();
        if (first == 1) {
            return false;
        }
        return db.sql("""
                        WITH changed AS (
                          UPDATE scheduler.cluster
                             SET system_identifier = :id, timeline = :timeline, changed_at = clock_timestamp()
                           WHERE system_identifier <> :id OR timeline <> :timeline
                          RETURNING one
                        )
                        UPDATE scheduler.shard SET owner = NULL, epoch = epoch + 1024, orphaned = true
                         WHERE EXISTS (SELECT FROM changed)
                        """)
                        .param("id", cluster.systemIdentifier)
                        .param("timeline", cluster.timeline)
                        .update()
                > 0;
    }
}
