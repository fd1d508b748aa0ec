package dev.vigil.audit.log;

import dev.vigil.audit.log.Outboxes.Position;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.SqlArrayValue;

/// The table `audit.progress`: how far each outbox is in the log.
final class Progress {
    private final JdbcClient db;

    Progress(JdbcClient db) {
        this.db = db;
    }

    /// Where the log stands in each outbox of this cluster. An outbox that moved to another cluster is read from its
    /// beginning: transaction numbers start anew there, and events that the log has are passed over.
    Map<String, Position> latest(List<String> sources) {
        var positions = new HashMap<String, Position>();
        db.sql("""
                        SELECT source, newest.xid::text AS xid_text, newest.id
                          FROM unnest(:sources) AS source,
                               LATERAL (SELECT xid, id
                                          FROM audit.progress
                                         WHERE source = source.source
                                           AND cluster = (SELECT system_identifier FROM pg_control_system())
                                         ORDER BY size DESC
                                         LIMIT 1) AS newest
                        """)
                .param("sources", new SqlArrayValue("text", sources.toArray()))
                .query(row -> {
                    positions.put(
                            row.getString("source"),
                            new Position(Long.parseUnsignedLong(row.getString("xid_text")), row.getLong("id")));
                });
        return positions;
    }

    /// Notes that the tree of that size has everything up to these positions.
    void append(long size, Map<String, Position> positions) {
        List<Map.Entry<String, Position>> rows = List.copyOf(positions.entrySet());
        db.sql("""
                        INSERT INTO audit.progress (source, cluster, size, xid, id)
                        SELECT source, (SELECT system_identifier FROM pg_control_system()), :size, CAST(xid AS xid8), id
                          FROM unnest(:sources, :xids, :ids) AS reached (source, xid, id)
                        """)
                .param("size", size)
                .param(
                        "sources",
                        new SqlArrayValue(
                                "text", rows.stream().map(Map.Entry::getKey).toArray()))
                .param(
                        "xids",
                        new SqlArrayValue(
                                "text",
                                rows.stream()
                                        .map(row -> Long.toUnsignedString(
                                                row.getValue().xid()))
                                        .toArray()))
                .param(
                        "ids",
                        new SqlArrayValue(
                                "bigint",
                                rows.stream().map(row -> row.getValue().id()).toArray()))
                .update();
    }
}
