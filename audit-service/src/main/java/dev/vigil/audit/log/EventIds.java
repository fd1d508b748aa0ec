package dev.vigil.audit.log;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.SqlArrayValue;

/// The table `audit.event_ids`: where in the log an event is found by its id. Ids begin with the time, so those of a
/// step lie close together: a row has some of one second, and the second is what they are looked up by.
public final class EventIds {
    // Of 24 bytes each, so a row stays below the 2 KiB from which PostgreSQL stores it apart.
    private static final int IDS_MAX = 64;
    /// Leaves of 48 bits of milliseconds those above 1,024 of them.
    private static final int SECOND_SHIFT = 26;

    private final JdbcClient db;
    private final DataSource connections;

    /// The ids, seen through that connection or pool.
    public EventIds(DataSource connections) {
        this.db = JdbcClient.create(connections);
        this.connections = connections;
    }

    /// As PostgreSQL orders them.
    static int inOrder(UUID one, UUID other) {
        int high = Long.compareUnsigned(one.getMostSignificantBits(), other.getMostSignificantBits());
        return high != 0 ? high : Long.compareUnsigned(one.getLeastSignificantBits(), other.getLeastSignificantBits());
    }

    private static long second(UUID id) {
        return id.getMostSignificantBits() >>> SECOND_SHIFT;
    }

    /// Ids of one second, in order.
    private record Run(List<UUID> ids) {
        static List<Run> of(List<UUID> ids) {
            List<UUID> sorted = ids.stream().sorted(EventIds::inOrder).toList();
            var runs = new ArrayList<Run>();
            for (int from = 0; from < sorted.size(); ) {
                long second = EventIds.second(sorted.get(from));
                int to = from + 1;
                while (to < sorted.size() && to - from < IDS_MAX && EventIds.second(sorted.get(to)) == second) {
                    to++;
                }
                runs.add(new Run(sorted.subList(from, to)));
                from = to;
            }
            return runs;
        }

        long second() {
            return EventIds.second(ids.getFirst());
        }
    }

    /// Which of these events the log already has.
    Set<UUID> known(List<UUID> ids) {
        List<Run> runs = Run.of(ids);
        var asked = new HashSet<>(ids);
        var known = new HashSet<UUID>();
        db.sql("""
                        SELECT id
                          FROM unnest(:seconds, :lows, :highs) AS run (second, low, high)
                          JOIN audit.event_ids AS listed
                            ON listed.second = run.second AND listed.low <= run.high AND listed.high >= run.low
                         CROSS JOIN unnest(listed.ids) AS id
                         WHERE id BETWEEN run.low AND run.high
                         UNION ALL
                        SELECT earlier.id
                          FROM unnest(:lows, :highs) AS run (low, high)
                          JOIN audit.event AS earlier ON earlier.id BETWEEN run.low AND run.high
                        """)
                .param(
                        "seconds",
                        new SqlArrayValue(
                                "bigint", runs.stream().map(Run::second).toArray()))
                .param(
                        "lows",
                        new SqlArrayValue(
                                "uuid",
                                runs.stream().map(run -> run.ids().getFirst()).toArray()))
                .param(
                        "highs",
                        new SqlArrayValue(
                                "uuid",
                                runs.stream().map(run -> run.ids().getLast()).toArray()))
                .query(row -> {
                    UUID id = row.getObject("id", UUID.class);
                    if (asked.contains(id)) {
                        known.add(id);
                    }
                });
        return known;
    }

    /// Lists events; the first has that index in the log.
    void append(long first, List<UUID> ids) {
        Map<UUID, Long> places = HashMap.newHashMap(ids.size());
        for (int i = 0; i < ids.size(); i++) {
            places.put(ids.get(i), first + i);
        }
        var rows = new CopyRows();
        for (Run run : Run.of(ids)) {
            rows.row(5)
                    .bigint(run.second())
                    .uuid(run.ids().getFirst())
                    .uuid(run.ids().getLast())
                    .uuids(run.ids())
                    .bigints(run.ids().stream().map(places::get).toList());
        }
        rows.store(connections, """
                        COPY audit.event_ids (second, low, high, ids, seqs) FROM STDIN (FORMAT binary)
                        """);
    }

    /// Where the event with that id stands.
    public Optional<Long> find(UUID id) {
        return db.sql("""
                        SELECT seqs[array_position(ids, CAST(:id AS uuid))]
                          FROM audit.event_ids
                         WHERE second = :second AND low <= :id AND high >= :id AND :id = ANY (ids)
                        """)
                .param("id", id)
                .param("second", second(id))
                .query(Long.class)
                .optional();
    }
}
