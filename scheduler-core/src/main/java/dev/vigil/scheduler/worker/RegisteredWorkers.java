package dev.vigil.scheduler.worker;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The worker registry as this core knows it: read whole at the start, then every one and a half seconds what
/// changed. The vault writes it; a core may read these columns and no others (docs/explanation/keys-and-trust.md).
///
/// For use by many threads at once.
public final class RegisteredWorkers implements Workers, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RegisteredWorkers.class);
    private static final Duration LOOK = Duration.ofMillis(1500);

    private final JdbcClient db;
    private final Map<UUID, Entry> known = new ConcurrentHashMap<>();
    /// Handlers that only some groups may run.
    private volatile Map<String, Set<String>> restricted = Map.of();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("worker-registry").factory());
    private volatile Consumer<UUID> onRefused = worker -> {};

    /// A registry that nobody has looked into yet.
    public RegisteredWorkers(JdbcClient db) {
        this.db = db;
    }

    /// One worker.
    ///
    /// @param state      `active`, `draining` or `blocked`
    /// @param group      its group
    /// @param namespaces those it may run for; null for all
    private record Entry(
            String state, String group, @Nullable Set<Integer> namespaces) {}

    private record Row(UUID id, Entry entry) {}

    /// Looks from now on.
    ///
    /// @param refused is told a worker that may no longer be connected, within two seconds of the change
    public void start(Consumer<UUID> refused) {
        onRefused = refused;
        var _ = timer.scheduleWithFixedDelay(this::look, 0, LOOK.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public Admission admission(UUID worker) {
        try {
            read(worker);
        } catch (DataAccessException e) {
            LOG.warn("event=worker_registry_unread worker={} reason={}", worker, e.toString());
            return Admission.UNKNOWN;
        }
        Entry entry = known.get(worker);
        return entry == null || entry.state().equals("blocked") ? Admission.REFUSED : Admission.ADMITTED;
    }

    @Override
    public boolean mayRun(UUID worker, int namespace, String handler) {
        Entry entry = known.get(worker);
        if (entry == null || !entry.state().equals("active")) {
            return false;
        }
        Set<String> groups = restricted.get(handler);
        return (entry.namespaces() == null || entry.namespaces().contains(namespace))
                && (groups == null || groups.contains(entry.group()));
    }

    private void read(UUID worker) {
        take(db.sql("""
                        SELECT id, state, worker_group, namespaces FROM vault.worker WHERE id = :worker
                        """).param("worker", worker).query((row, index) -> row(row)).list().stream());
    }

    private void look() {
        try {
            restricted = readRestricted();
            // Three seconds back: a change commits later than its stamp, and a row read twice does no harm.
            take(db
                    .sql("""
                            SELECT id, state, worker_group, namespaces FROM vault.worker
                             WHERE changed_at > clock_timestamp() - make_interval(secs => :back)
                            """)
                    .param("back", known.isEmpty() ? Integer.MAX_VALUE / 2 : 3)
                    .query((row, index) -> row(row))
                    .list()
                    .stream());
        } catch (DataAccessException e) {
            LOG.warn("event=worker_registry_unread reason={}", e.toString());
        }
    }

    private Map<String, Set<String>> readRestricted() {
        Map<String, Set<String>> groups = new HashMap<>();
        db.sql("""
                        SELECT name, groups FROM vault.handler_group WHERE cardinality(groups) > 0
                        """).query(row -> {
            groups.put(row.getString("name"), Set.copyOf(List.of((String[])
                    row.getArray("groups").getArray())));
        });
        return groups;
    }

    private void take(Stream<Row> rows) {
        rows.forEach(row -> {
            Entry before = known.put(row.id(), row.entry());
            if (row.entry().state().equals("blocked") && !row.entry().equals(before)) {
                onRefused.accept(row.id());
            }
        });
    }

    private static Row row(java.sql.ResultSet row) throws java.sql.SQLException {
        var namespaces = row.getArray("namespaces");
        Set<Integer> allowed = namespaces == null
                ? null
                : Stream.of((Integer[]) namespaces.getArray()).collect(Collectors.toUnmodifiableSet());
        return new Row(
                row.getObject("id", UUID.class),
                new Entry(row.getString("state"), row.getString("worker_group"), allowed));
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
