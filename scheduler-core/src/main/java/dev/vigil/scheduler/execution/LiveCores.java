package dev.vigil.scheduler.execution;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.LongSupplier;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The cores that are alive, as their neighbours see it: a core is dead once its beat has stood still for six
/// seconds of this process's monotonic clock. One seen for the first time counts as alive.
///
/// For use by many threads at once; reads the table at most twice a second.
public final class LiveCores {
    private static final long STILL_NANOS = Duration.ofSeconds(6).toNanos();
    private static final long FRESH_NANOS = Duration.ofMillis(500).toNanos();

    private final JdbcClient db;
    private final LongSupplier nanos;
    private Map<UUID, Seen> seen = Map.of();
    private List<Core> alive = List.of();
    private long readAt;
    private boolean read;

    /// Cores of this database.
    ///
    /// @param nanos a monotonic clock in nanoseconds
    public LiveCores(JdbcClient db, LongSupplier nanos) {
        this.db = db;
        this.nanos = nanos;
    }

    /// A core.
    ///
    /// @param incarnation one life of it
    /// @param sessionUrl  where workers ask for sessions and the API gives hints, such as `https://core-1:9443`
    public record Core(UUID incarnation, String sessionUrl) {}

    private record Seen(long beat, long since) {}

    /// Those alive now, at most half a second old.
    public synchronized List<Core> list() {
        long now = nanos.getAsLong();
        if (!read || now - readAt > FRESH_NANOS) {
            look(now);
            readAt = now;
            read = true;
        }
        return alive;
    }

    private void look(long now) {
        record Row(Core core, long beat) {}
        List<Row> rows = db.sql("""
                        SELECT incarnation, session_url, beat
                          FROM scheduler.core
                         ORDER BY incarnation
                        """)
                .query((row, index) -> new Row(
                        new Core(row.getObject("incarnation", UUID.class), row.getString("session_url")),
                        row.getLong("beat")))
                .list();
        var fresh = new HashMap<UUID, Seen>();
        var living = new ArrayList<Core>();
        for (Row row : rows) {
            Seen before = seen.get(row.core().incarnation());
            Seen current = before != null && before.beat() == row.beat() ? before : new Seen(row.beat(), now);
            fresh.put(row.core().incarnation(), current);
            if (now - current.since() < STILL_NANOS) {
                living.add(row.core());
            }
        }
        seen = fresh;
        alive = List.copyOf(living);
    }
}
