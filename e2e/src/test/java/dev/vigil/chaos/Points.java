package dev.vigil.chaos;

import dev.vigil.postgres.Credentials;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;

/// Named points at which a service is caught in the middle of a transaction: everything is written, the COMMIT has been
/// sent and is not carried out. Deferred triggers of the superuser wait there for a lock that this class holds while it
/// is armed; otherwise they pass. The services know nothing of it.
final class Points {
    private static final Duration CAUGHT_WITHIN = Duration.ofSeconds(20);

    private static final String CAUGHT = """
            SELECT DISTINCT a.pid, a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
             WHERE l.locktype = 'advisory' AND NOT l.granted AND l.objid::bigint = ?::bigint
               AND a.application_name LIKE ?
            """;

    /// Where.
    enum Point {
        /// The dispatch row.
        DISPATCH(4_701, "scheduler.dispatch", "INSERT", "vigil-core%"),
        /// The end of an execution.
        RESULT(4_702, "scheduler.history", "INSERT", "vigil-core%"),
        /// A schedule moves on.
        CRON(4_703, "scheduler.schedule", "UPDATE", "vigil-core%"),
        /// A task that a client creates.
        TASK(4_704, "scheduler.task", "INSERT", "api-2");

        private final int key;
        private final String table;
        private final String change;
        private final String who;

        Point(int key, String table, String change, String who) {
            this.key = key;
            this.table = table;
            this.change = change;
            this.who = who;
        }
    }

    private final Credentials superuser;

    Points(Credentials superuser) {
        this.superuser = superuser;
    }

    /// Puts the triggers there. A row that is no key of anything is stored as before.
    void install(Truth truth) throws SQLException {
        truth.execute("CREATE SCHEMA chaos");
        truth.execute("""
                CREATE FUNCTION chaos.halt() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    PERFORM pg_advisory_xact_lock_shared(TG_ARGV[0]::bigint);
                    RETURN NULL;
                END $$
                """);
        for (Point point : Point.values()) {
            truth.execute("CREATE CONSTRAINT TRIGGER chaos_halt AFTER " + point.change + " ON " + point.table
                    + " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION chaos.halt(" + point.key + ")");
        }
    }

    /// A session of the services that was caught.
    ///
    /// @param backend     its process in PostgreSQL
    /// @param application whose it is
    record Caught(int backend, String application) {}

    /// The trap at one point. Closed, whoever waits goes on.
    static final class Trap implements AutoCloseable {
        private final Point point;
        private final Connection holder;

        private Trap(Point point, Connection holder) {
            this.point = point;
            this.holder = holder;
        }

        /// Waits until somebody is caught.
        Caught caught(Truth truth) {
            Waiting.until(
                    "somebody comes to " + point,
                    CAUGHT_WITHIN,
                    () -> !waiting(truth).isEmpty());
            try {
                return waiting(truth).getFirst();
            } catch (SQLException failure) {
                throw new IllegalStateException(failure);
            }
        }

        private List<Caught> waiting(Truth truth) throws SQLException {
            return truth.rows(CAUGHT, row -> new Caught(row.getInt(1), row.getString(2)), point.key, point.who);
        }

        @Override
        public void close() throws SQLException {
            holder.close();
        }
    }

    /// From now on whoever comes there waits.
    Trap arm(Point point) throws SQLException {
        Connection holder = superuser.connect();
        try (var statement = holder.createStatement()) {
            statement.execute("SELECT pg_advisory_lock(" + point.key + ")");
        }
        return new Trap(point, holder);
    }
}
