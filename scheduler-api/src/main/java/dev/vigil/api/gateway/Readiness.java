package dev.vigil.api.gateway;

import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;

/// Whether the database answers. Asked at most once a second, however many probes there are.
final class Readiness {
    private static final int WAIT_SECONDS = 2;
    private static final long REMEMBERED_NANOS = 1_000_000_000L;

    private final DataSource dataSource;
    private boolean ready;
    private long asked = System.nanoTime() - REMEMBERED_NANOS;

    Readiness(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    synchronized boolean ready() {
        if (System.nanoTime() - asked >= REMEMBERED_NANOS) {
            ready = ask();
            asked = System.nanoTime();
        }
        return ready;
    }

    private boolean ask() {
        try (Connection connection = dataSource.getConnection()) {
            return connection.isValid(WAIT_SECONDS);
        } catch (SQLException e) {
            return false;
        }
    }
}
