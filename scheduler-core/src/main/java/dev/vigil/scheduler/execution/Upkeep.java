package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.task.Columns;
import java.util.List;
import org.springframework.jdbc.core.simple.JdbcClient;

/// Statements that keep the owner's tables small, and audit events that tell of no change of a row.
final class Upkeep {
    private Upkeep() {}

    /// How far news of creation has been read.
    ///
    /// @param gone what those wrote that were over then has been removed
    /// @param read what those wrote that were over then has been read
    record NewsRead(int shard, Snapshot gone, Snapshot read) {}

    /// Removes news of creation that has been read. Fenced: a former owner must not take away what its successor has
    /// yet to read.
    ///
    /// What was removed before lies about while vacuum is held up: only what those wrote is looked at that ran at
    /// the last removal, and what began since. Rows are found first and then gone to where they lie, as those of
    /// what ends are ([EndingRows]).
    static void pruneNews(JdbcClient db, Owned owned, List<NewsRead> read) {
        db.sql("""
                        WITH s AS MATERIALIZED (
                          SELECT s.id FROM scheduler.shard s
                            JOIN unnest(:myShards::int[], :myEpochs::bigint[]) AS mine(id, epoch) ON mine.id = s.id
                           WHERE s.owner = :me AND s.epoch = mine.epoch
                             FOR SHARE OF s
                        )
                        DELETE FROM scheduler.inbox i
                         USING s JOIN unnest(:shards::int[], :goneNexts::text[], :goneRunnings::text[],
                                             :readNexts::text[], :readRunnings::text[])
                                       AS n(shard, gone_next, gone_running, read_next, read_running) ON n.shard = s.id
                         CROSS JOIN LATERAL (
                           SELECT x.ctid AS place FROM scheduler.inbox x
                            WHERE x.shard = n.shard AND x.xid >= n.gone_next::xid8 AND x.xid < n.read_next::xid8
                              AND x.kind = 1 AND x.xid <> ALL (string_to_array(n.read_running, ',')::xid8[])
                            UNION ALL
                           SELECT x.ctid FROM scheduler.inbox x
                            WHERE x.shard = n.shard AND x.xid = ANY (string_to_array(n.gone_running, ',')::xid8[])
                              AND x.kind = 1 AND x.xid <> ALL (string_to_array(n.read_running, ',')::xid8[])
                           OFFSET 0
                         ) over
                         WHERE i.ctid = over.place
                        """)
                .params(owned.parameters())
                .params(new Columns<>(read)
                        .add("shards", new Integer[0], NewsRead::shard)
                        .add("goneNexts", new String[0], news -> news.gone.nextText())
                        .add("goneRunnings", new String[0], news -> news.gone.runningText())
                        .add("readNexts", new String[0], news -> news.read.nextText())
                        .add("readRunnings", new String[0], news -> news.read.runningText())
                        .arrays())
                .update();
    }

    /// Stores audit events of these shards.
    ///
    /// @param events framed
    static void tell(JdbcClient db, Owned owned, int count, byte[] events) {
        db.sql("""
                        WITH s AS MATERIALIZED (
                          SELECT s.id FROM scheduler.shard s
                            JOIN unnest(:myShards::int[], :myEpochs::bigint[]) AS mine(id, epoch) ON mine.id = s.id
                           WHERE s.owner = :me AND s.epoch = mine.epoch
                             FOR SHARE OF s
                        )
                        INSERT INTO scheduler.outbox (n, events)
                        SELECT :n, :events WHERE EXISTS (SELECT FROM s)
                        """)
                .params(owned.parameters())
                .param("n", count)
                .param("events", events)
                .update();
    }
}
