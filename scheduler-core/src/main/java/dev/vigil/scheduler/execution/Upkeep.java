package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.OwnerReads.NewsFrom;
import dev.vigil.scheduler.task.Columns;
import java.util.List;
import org.springframework.jdbc.core.simple.JdbcClient;

/// Statements that keep the owner's tables small, and audit events that tell of no change of a row.
final class Upkeep {
    private Upkeep() {}

    /// Removes news that has been read. Fenced: a former owner must not take away what its successor has yet to
    /// read.
    static void pruneNews(JdbcClient db, Owned owned, List<NewsFrom> read) {
        db.sql("""
                        WITH s AS MATERIALIZED (
                          SELECT s.id FROM scheduler.shard s
                            JOIN unnest(:myShards::int[], :myEpochs::bigint[]) AS mine(id, epoch) ON mine.id = s.id
                           WHERE s.owner = :me AND s.epoch = mine.epoch
                             FOR SHARE OF s
                        )
                        DELETE FROM scheduler.inbox i
                         USING s JOIN unnest(:shards::int[], :xids::text[]) AS read(shard, xid) ON read.shard = s.id
                         WHERE i.shard = read.shard AND i.xid < read.xid::xid8 AND i.kind = 1
                        """)
                .params(owned.parameters())
                .params(new Columns<>(read)
                        .add("shards", new Integer[0], NewsFrom::shard)
                        .add("xids", new String[0], news -> Long.toString(news.xid()))
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
