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
/// @param change  number of the change that they are read after
/// @param permits those that are limited in what runs
/// @param rates   those that are limited in what starts
/// @param weights of namespaces that have another one than 1
record KnownLimits(long change, Shared permits, Shared rates, Map<Integer, Integer> weights) {
    static final KnownLimits UNREAD = new KnownLimits(-1, Shared.NONE, Shared.NONE, Map.of());

    KnownLimits {
        weights = Map.copyOf(weights);
    }

    /// Limits of one sort that many share.
    ///
    /// @param namespaces by their number
    /// @param handlers   by their name
    record Shared(Map<Integer, Limited> namespaces, Map<String, Limited> handlers) {
        static final Shared NONE = new Shared(Map.of(), Map.of());

        Shared {
            namespaces = Map.copyOf(namespaces);
            handlers = Map.copyOf(handlers);
        }

        /// Those that executions of a key are under, always in one order.
        List<Limited> of(WorkerNeed key) {
            Limited namespace = namespaces.get(key.namespace());
            Limited handler = handlers.get(key.handler());
            if (namespace == null) {
                return handler == null ? List.of() : List.of(handler);
            }
            return handler == null ? List.of(namespace) : List.of(namespace, handler);
        }
    }

    /// All limits of what runs that executions of a key are under, always in one order: his own, then those he shares.
    List<Limited> permits(WorkerNeed key) {
        UUID owner = key.limited();
        List<Limited> shared = permits.of(key);
        if (owner == null) {
            return shared;
        }
        var all = new ArrayList<Limited>(3);
        all.add(Limited.owner(key.namespace(), owner));
        all.addAll(shared);
        return all;
    }

    /// The share of turns that a namespace has while others wait.
    int weight(int namespace) {
        return weights.getOrDefault(namespace, 1);
    }

    /// @param key null when nothing at all is limited
    private record Row(
            long change, @Nullable Limited key, @Nullable String handler, boolean permits, boolean rated, int weight) {
        private void into(Map<Integer, Limited> namespaces, Map<String, Limited> handlers) {
            if (key != null && handler != null) {
                handlers.put(handler, key);
            } else if (key != null) {
                namespaces.put(key.namespace(), key);
            }
        }
    }

    /// Reads them, unless nothing has changed.
    ///
    /// @param known number of the last change that is known
    static Optional<KnownLimits> read(JdbcClient db, long known) {
        List<Row> rows = db.sql("""
                        SELECT x.n, c.kind, c.namespace, c.owner, c.handler, c.most < :unlimited AS permits,
                               c.starts IS NOT NULL AS rated, c.weight
                          FROM scheduler.limit_change x LEFT JOIN scheduler.concurrency c ON c.kind > 1
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
                    return new Row(
                            row.getLong("n"),
                            key,
                            row.getString("handler"),
                            row.getBoolean("permits"),
                            row.getBoolean("rated"),
                            row.getInt("weight"));
                })
                .list();
        return rows.isEmpty() ? Optional.empty() : Optional.of(of(rows));
    }

    private static KnownLimits of(List<Row> rows) {
        var weights = new HashMap<Integer, Integer>();
        for (Row row : rows) {
            if (row.key != null && row.key.kind() == Kind.NAMESPACE && row.weight != 1) {
                weights.put(row.key.namespace(), row.weight);
            }
        }
        List<Row> permits = rows.stream().filter(Row::permits).toList();
        List<Row> rated = rows.stream().filter(Row::rated).toList();
        return new KnownLimits(rows.getFirst().change, shared(permits), shared(rated), weights);
    }

    private static Shared shared(List<Row> rows) {
        var namespaces = new HashMap<Integer, Limited>();
        var handlers = new HashMap<String, Limited>();
        rows.forEach(row -> row.into(namespaces, handlers));
        return new Shared(namespaces, handlers);
    }
}
