package dev.vigil.chaos;

import dev.vigil.postgres.Credentials;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// What the database says, seen by its superuser. Connects again after each failure. For one thread.
final class Truth implements AutoCloseable {
    private static final String HELD = """
            SELECT execution, boot, fence FROM (
              SELECT DISTINCT ON (o.execution) o.execution, o.worker, o.boot, o.fence, e.fence_min
                FROM scheduler.open_dispatch o
                JOIN scheduler.execution e ON e.shard = o.shard AND e.id = o.execution
               ORDER BY o.execution, o.fence DESC) newest
             WHERE worker = ? AND fence >= fence_min
            """;

    private static final String UNRECORDED = """
            SELECT h.id FROM scheduler.history h
             WHERE h.state = 1
               AND NOT EXISTS (SELECT FROM scheduler.dispatch d
                                WHERE d.shard = h.shard AND d.epoch = h.fence >> 32
                                  AND d.n = (h.fence & 4294967295) AND h.id = ANY (d.executions))
            """;

    private static final String FIRES = """
            SELECT task_id, scheduled_for FROM scheduler.history WHERE task_id = ANY (?)
             UNION ALL
            SELECT task_id, scheduled_for FROM scheduler.execution WHERE task_id = ANY (?)
             ORDER BY 1, 2
            """;

    private final Credentials superuser;
    private @Nullable Connection connection;

    Truth(Credentials superuser) {
        this.superuser = superuser;
    }

    /// An execution on a worker.
    ///
    /// @param boot  of the worker's process
    /// @param fence of its newest dispatch
    record Held(UUID execution, UUID boot, long fence) {}

    /// What became of an execution.
    ///
    /// @param state 1 is success
    record Ended(
            UUID execution, int state, long fence, @Nullable String code) {}

    @FunctionalInterface
    interface Reading<T> {
        T of(ResultSet row) throws SQLException;
    }

    /// The rows of a query; a connection that failed is not used again.
    <T> List<T> rows(String query, Reading<T> reading, @Nullable Object... parameters) throws SQLException {
        try (PreparedStatement statement = connection().prepareStatement(query)) {
            for (int i = 0; i < parameters.length; i++) {
                statement.setObject(i + 1, parameters[i]);
            }
            var found = new ArrayList<T>();
            if (statement.execute()) {
                try (ResultSet rows = statement.getResultSet()) {
                    while (rows.next()) {
                        found.add(reading.of(rows));
                    }
                }
            }
            return found;
        } catch (SQLException failure) {
            close();
            throw failure;
        }
    }

    void execute(String statement) throws SQLException {
        try (var prepared = connection().createStatement()) {
            prepared.execute(statement);
        } catch (SQLException failure) {
            close();
            throw failure;
        }
    }

    private Connection connection() throws SQLException {
        Connection current = connection;
        if (current == null || current.isClosed()) {
            current = superuser.connect();
            connection = current;
        }
        return current;
    }

    private java.sql.Array uuids(Collection<UUID> ids) throws SQLException {
        return connection().createArrayOf("uuid", ids.toArray());
    }

    /// What a worker has been given and not ended.
    List<Held> heldBy(UUID worker) throws SQLException {
        return rows(
                HELD,
                row -> new Held(row.getObject(1, UUID.class), row.getObject(2, UUID.class), row.getLong(3)),
                worker);
    }

    /// Whether none of these is that boot's any more.
    boolean takenFrom(UUID worker, Collection<Held> held) throws SQLException {
        return heldBy(worker).stream()
                .noneMatch(now -> held.stream()
                        .anyMatch(before -> before.execution.equals(now.execution) && before.boot.equals(now.boot)));
    }

    /// Those of some tasks of which an execution ended.
    Set<UUID> ended(Collection<UUID> tasks) throws SQLException {
        return new HashSet<>(rows(
                "SELECT task_id FROM scheduler.history WHERE task_id = ANY (?)",
                row -> row.getObject(1, UUID.class),
                uuids(tasks)));
    }

    /// How executions ended, one line for each end.
    List<Ended> ends(Collection<UUID> executions) throws SQLException {
        return rows(
                "SELECT id, state, fence, code FROM scheduler.history WHERE id = ANY (?)",
                row -> new Ended(row.getObject(1, UUID.class), row.getInt(2), row.getLong(3), row.getString(4)),
                uuids(executions));
    }

    /// Executions that ended more than once.
    List<UUID> endedTwice() throws SQLException {
        return rows(
                "SELECT id FROM scheduler.history GROUP BY namespace, id HAVING count(*) > 1",
                row -> row.getObject(1, UUID.class));
    }

    /// Executions that ended under a fence that no dispatch row names.
    List<UUID> unrecorded() throws SQLException {
        return rows(UNRECORDED, row -> row.getObject(1, UUID.class));
    }

    /// When each of some tasks fired, in order.
    Map<UUID, List<Instant>> fires(Collection<UUID> tasks) throws SQLException {
        var fires = new TreeMap<UUID, List<Instant>>();
        rows(
                FIRES,
                row -> fires.computeIfAbsent(row.getObject(1, UUID.class), task -> new ArrayList<>())
                        .add(row.getObject(2, OffsetDateTime.class).toInstant()),
                uuids(tasks),
                uuids(tasks));
        return fires;
    }

    /// Shards of a core that is known by a part of its address.
    List<Integer> shardsOf(String address) throws SQLException {
        return rows(
                "SELECT s.id FROM scheduler.shard s JOIN scheduler.core c ON c.incarnation = s.owner"
                        + " WHERE position(? IN c.session_url) > 0",
                row -> row.getInt(1),
                address);
    }

    /// Owner and epoch of each of some shards, as text that changes when one changes hands.
    boolean ownedByOthers(Collection<Integer> shards, Collection<UUID> before) throws SQLException {
        List<UUID> owners = rows(
                "SELECT owner FROM scheduler.shard WHERE id = ANY (?)",
                row -> row.getObject(1, UUID.class),
                connection().createArrayOf("int4", shards.toArray()));
        return owners.stream().noneMatch(owner -> owner == null || before.contains(owner));
    }

    /// The incarnations of a core that is known by a part of its address.
    List<UUID> incarnations(String address) throws SQLException {
        return rows(
                "SELECT incarnation FROM scheduler.core WHERE position(? IN session_url) > 0",
                row -> row.getObject(1, UUID.class),
                address);
    }

    /// Ends every session of Vigil's services.
    int endSessions() throws SQLException {
        return rows(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'vigil%'",
                        row -> row.getBoolean(1))
                .size();
    }

    @Override
    public void close() {
        Connection open = connection;
        connection = null;
        if (open != null) {
            try {
                open.close();
            } catch (SQLException gone) {
                System.getLogger("chaos").log(System.Logger.Level.DEBUG, "connection was gone", gone);
            }
        }
    }

    static String list(Collection<?> items) {
        return items.size() + " " + Arrays.toString(items.stream().limit(5).toArray());
    }
}
