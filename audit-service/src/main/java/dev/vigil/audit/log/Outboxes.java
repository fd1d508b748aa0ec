package dev.vigil.audit.log;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The outboxes of the services, each the table `outbox` of its schema, read in commit-safe order: only rows whose
/// transaction, and every one before it, has ended. A plain "id above the last one" loses whoever commits late.
///
/// These are the only statements of this module that name other schemas; the names are checked settings.
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
    private final List<String> configured;
    private List<String> present = List.of();
    private String read = "";

    /// The outboxes of those schemas, seen through one connection.
    Outboxes(JdbcClient db, List<String> schemas) {
        for (String schema : schemas) {
            if (!NAME.matcher(schema).matches()) {
                throw new IllegalArgumentException("vigil.audit.sources names \"" + schema
                        + "\", which is no schema of Vigil; use names such as scheduler, access, gdpr, audit");
            }
        }
        this.db = db;
        this.configured = List.copyOf(schemas);
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

    /// Looks which outboxes are there and readable: a service may be started, and its schema made, later than this one.
    ///
    /// @return those that are still missing
    List<String> find() {
        present = db.sql("""
                        SELECT schema.nspname
                          FROM unnest(CAST(:names AS name[])) WITH ORDINALITY AS wanted (name, place)
                          JOIN pg_namespace AS schema ON schema.nspname = wanted.name
                          JOIN pg_class AS outbox ON outbox.relnamespace = schema.oid AND outbox.relname = 'outbox'
                         WHERE has_schema_privilege(schema.oid, 'USAGE')
                           AND has_table_privilege(outbox.oid, 'SELECT')
                         ORDER BY place
                        """)
                .param("names", "{" + String.join(",", configured) + "}")
                .query(String.class)
                .list();
        read = IntStream.range(0, present.size())
                .mapToObj(i -> select(present.get(i), i))
                .collect(Collectors.joining(" UNION ALL ", "SELECT * FROM (", ") AS rows"));
        var missing = new ArrayList<>(configured);
        missing.removeAll(present);
        return missing;
    }

    /// The next rows behind these positions, in the order in which they belong into the log. One statement, so one
    /// snapshot for all outboxes.
    List<Row> read(Map<String, Position> behind) {
        if (present.isEmpty()) {
            return List.of();
        }
        var params = new HashMap<String, @Nullable Object>(Map.of("rows", ROWS_MAX, "bytes", BYTES_MAX));
        for (int i = 0; i < present.size(); i++) {
            Position position = behind.getOrDefault(present.get(i), Position.START);
            params.put("xid" + i, Long.toUnsignedString(position.xid()));
            params.put("id" + i, position.id());
        }
        return db
                .sql(read)
                .params(params)
                .query((row, number) -> new Row(
                        row.getString("source"),
                        new Position(Long.parseUnsignedLong(row.getString("xid_text")), row.getLong("id")),
                        row.getBytes("events")))
                .list()
                .stream()
                .sorted(IN_ORDER)
                .toList();
    }

    private static String select(String schema, int number) {
        return """
                SELECT source, xid::text AS xid_text, id, events
                  FROM (SELECT '%1$s' AS source, xid, id, events,
                               sum(octet_length(events)) OVER (ORDER BY xid, id) - octet_length(events) AS bytes_before
                          FROM (SELECT xid, id, events
                                  FROM %1$s.outbox
                                 WHERE xid < pg_snapshot_xmin(pg_current_snapshot())
                                   AND (xid, id) > (CAST(:xid%2$d AS xid8), :id%2$d)
                                 ORDER BY xid, id
                                 LIMIT :rows) AS next) AS measured
                 WHERE bytes_before < :bytes
                """.formatted(schema, number);
    }

    /// Removes rows that are in the log: all of transactions before the position's. Each schema brings the function
    /// for it; the audit role itself may not delete.
    ///
    /// @return how many are gone
    long prune(String source, Position sequenced) {
        if (!present.contains(source)) {
            return 0;
        }
        return db.sql("SELECT %s.prune_outbox(CAST(:xid AS xid8))".formatted(source))
                .param("xid", Long.toUnsignedString(sequenced.xid()))
                .query(Long.class)
                .single();
    }
}
