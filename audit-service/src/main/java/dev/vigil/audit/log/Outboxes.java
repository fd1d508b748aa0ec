package dev.vigil.audit.log;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.SqlArrayValue;

/// The outboxes of the services, each the table `outbox` of its schema, read in commit-safe order through the function
/// `audit.waiting`. Outboxes that are not there yet are passed over.
final class Outboxes {
    /// The most rows that are taken from one outbox at once.
    static final int ROWS_MAX = 1_000;

    /// The most bytes, but for a first row that is larger alone.
    static final int BYTES_MAX = 8 * 1024 * 1024;

    private static final Pattern NAME = Pattern.compile("[a-z][a-z_]{0,30}");
    private static final Comparator<Row> IN_ORDER = Comparator.<Row>comparingLong(
                    row -> row.position().xid())
            .thenComparing(Row::source)
            .thenComparingLong(row -> row.position().id());

    private final JdbcClient db;
    private final List<String> schemas;

    /// The outboxes of those schemas, seen through one connection.
    Outboxes(JdbcClient db, List<String> schemas) {
        for (String schema : schemas) {
            if (!NAME.matcher(schema).matches()) {
                throw new IllegalArgumentException("vigil.audit.sources names \"" + schema
                        + "\", which is no schema of Vigil; use names such as scheduler, access, gdpr, audit");
            }
        }
        this.db = db;
        this.schemas = List.copyOf(schemas);
    }

    /// Where a reader stands in one outbox: behind this row.
    ///
    /// @param xid transaction that wrote the row
    /// @param id  number of the row
    record Position(long xid, long id) {
        static final Position START = new Position(0, 0);
    }

    /// One row.
    ///
    /// @param source   schema of the outbox
    /// @param position where it stands there
    /// @param events   as `EventBatch` framed them
    record Row(String source, Position position, byte[] events) {}

    /// The next rows behind these positions, in the order in which they belong into the log. One statement, so one
    /// snapshot for all outboxes.
    List<Row> read(Map<String, Position> behind) {
        Function<String, Position> position = schema -> behind.getOrDefault(schema, Position.START);
        return db
                .sql("""
                        SELECT source, xid::text AS xid_text, id, events
                          FROM audit.waiting(:schemas, CAST(:xids AS xid8[]), :ids, :rows, :bytes)
                        """)
                .param("schemas", array("text", schema -> schema))
                .param(
                        "xids",
                        array(
                                "text",
                                schema -> Long.toUnsignedString(
                                        position.apply(schema).xid())))
                .param("ids", array("bigint", schema -> position.apply(schema).id()))
                .param("rows", ROWS_MAX)
                .param("bytes", BYTES_MAX)
                .query((row, number) -> new Row(
                        row.getString("source"),
                        new Position(Long.parseUnsignedLong(row.getString("xid_text")), row.getLong("id")),
                        row.getBytes("events")))
                .list()
                .stream()
                .sorted(IN_ORDER)
                .toList();
    }

    /// Removes rows that are in the log: all of transactions before the position's. The audit role itself may not
    /// delete; each schema brings the function that may.
    ///
    /// @return how many are gone
    long prune(String source, Position sequenced) {
        return db.sql("SELECT audit.prune(:source, CAST(:xid AS xid8))")
                .param("source", source)
                .param("xid", Long.toUnsignedString(sequenced.xid()))
                .query(Long.class)
                .single();
    }

    private SqlArrayValue array(String type, Function<String, Object> value) {
        return new SqlArrayValue(type, schemas.stream().map(value).toArray());
    }
}
