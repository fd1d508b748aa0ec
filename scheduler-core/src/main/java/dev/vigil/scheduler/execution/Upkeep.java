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
                         USING s JOIN unnest(:shards::int[], :nexts::text[], :runnings::text[])
                                       AS read(shard, next, running) ON read.shard = s.id
                         WHERE i.shard = read.shard AND i.kind = 1 AND i.xid < read.next::xid8
                           AND i.xid <> ALL (string_to_array(read.running, ',')::xid8[])
                        """)
                .params(owned.parameters())
                .params(new Columns<>(read)
                        .add("shards", new Integer[0], NewsFrom::shard)
                        .add(
                                "nexts",
                                new String[0],
                                news -> Long.toString(news.since().next()))
                        .add("runnings", new String[0], news -> news.since().runningText())
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
