package dev.vigil.api.gateway;

import dev.vigil.api.web.ReadyCheck;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import javax.sql.DataSource;

/// Whether the database answers and nothing else stands in the way of serving. The database is asked at most once a
/// second, however many probes there are.
final class Readiness {
    private static final int WAIT_SECONDS = 2;
    private static final long REMEMBERED_NANOS = 1_000_000_000L;

    private final DataSource dataSource;
    private final List<ReadyCheck> checks;
    private boolean ready;
    private long asked = System.nanoTime() - REMEMBERED_NANOS;

    Readiness(DataSource dataSource, List<ReadyCheck> checks) {
        this.dataSource = dataSource;
        this.checks = checks;
    }

    synchronized boolean ready() {
        if (System.nanoTime() - asked >= REMEMBERED_NANOS) {
            ready = ask();
            asked = System.nanoTime();
        }
        return ready && checks.stream().allMatch(ReadyCheck::ready);
    }

    private boolean ask() {
        try (Connection connection = dataSource.getConnection()) {
            return connection.isValid(WAIT_SECONDS);
        } catch (SQLException e) {
            return false;
        }
    }
}
