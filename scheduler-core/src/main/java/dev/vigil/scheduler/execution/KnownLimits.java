package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.TaskFacts.WorkerNeed;
import dev.vigil.scheduler.task.Coded;
import dev.vigil.scheduler.task.Limited;
import dev.vigil.scheduler.task.Limited.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The namespaces and handlers that are limited, as an owner of shards knows them.
///
/// @param change     number of the change that they are read after
/// @param namespaces by their number
/// @param handlers   by their name
record KnownLimits(long change, Map<Integer, Limited> namespaces, Map<String, Limited> handlers) {
    static final KnownLimits UNREAD = new KnownLimits(-1, Map.of(), Map.of());

    KnownLimits {
        namespaces = Map.copyOf(namespaces);
        handlers = Map.copyOf(handlers);
    }

    /// All limits that executions of a key are under, always in one order: his own, then those he shares.
    List<Limited> of(WorkerNeed key) {
        UUID owner = key.limited();
        Limited namespace = namespaces.get(key.namespace());
        Limited handler = handlers.get(key.handler());
        if (owner == null && namespace == null && handler == null) {
            return List.of();
        }
        var all = new ArrayList<Limited>(3);
        if (owner != null) {
            all.add(Limited.owner(key.namespace(), owner));
        }
        if (namespace != null) {
            all.add(namespace);
        }
        if (handler != null) {
            all.add(handler);
        }
        return all;
    }

    private record Row(
            long change, @Nullable Limited key, @Nullable String handler) {}

    /// Reads them, unless nothing has changed.
    ///
    /// @param known number of the last change that is known
    static Optional<KnownLimits> read(JdbcClient db, long known) {
        List<Row> rows = db.sql("""
                        SELECT x.n, c.kind, c.namespace, c.owner, c.handler
                          FROM scheduler.limit_change x
                          LEFT JOIN scheduler.concurrency c ON c.kind > 1 AND c.most < :unlimited
                         WHERE x.n <> :known
                        """)
                .param("unlimited", Integer.MAX_VALUE)
                .param("known", known)
                .query((row, index) -> {
                    Integer kind = row.getObject("kind", Integer.class);
                    Limited key = kind == null
                            ? null
                            : new Limited(
                                    Coded.of(Kind.class, kind),
                                    row.getInt("namespace"),
                                    row.getObject("owner", UUID.class));
                    return new Row(row.getLong("n"), key, row.getString("handler"));
                })
                .list();
        if (rows.isEmpty()) {
            return Optional.empty();
        }
        var namespaces = new HashMap<Integer, Limited>();
        var handlers = new HashMap<String, Limited>();
        for (Row row : rows) {
            if (row.key != null && row.handler != null) {
                handlers.put(row.handler, row.key);
            } else if (row.key != null) {
                namespaces.put(row.key.namespace(), row.key);
            }
        }
        return Optional.of(new KnownLimits(rows.getFirst().change, namespaces, handlers));
    }
}
