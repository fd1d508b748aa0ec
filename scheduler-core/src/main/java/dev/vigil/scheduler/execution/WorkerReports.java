package dev.vigil.scheduler.execution;

import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.springframework.jdbc.core.simple.JdbcClient;

/// What the cores last heard of each worker, for people. Each core has a row for each of its workers.
public final class WorkerReports {
    private final JdbcClient db;

    /// Reports of this database.
    public WorkerReports(JdbcClient db) {
        this.db = db;
    }

    /// What was heard of a worker.
    ///
    /// @param version         of the agent
    /// @param slots           executions it runs at once
    /// @param running         executions it ran when it said so
    /// @param sandbox         `bubblewrap`, `docker`, `podman` or `none`
    /// @param limits          `cgroup` or `rlimit`
    /// @param lastHeartbeatAt when a core last heard it, by the database's clock
    /// @param silence         how long ago that was when this was read, by the same clock
    public record Report(
            UUID worker,
            String version,
            int slots,
            int running,
            String sandbox,
            String limits,
            Instant lastHeartbeatAt,
            Duration silence) {}

    /// The newest report of each worker.
    public Map<UUID, Report> newest() {
        return db
                .sql("""
                        SELECT DISTINCT ON (worker) worker, version, slots, running, sandbox, limits, last_heartbeat_at,
                               extract(epoch FROM clock_timestamp() - last_heartbeat_at) * 1000 AS silence_ms
                          FROM scheduler.worker_report
                         ORDER BY worker, last_heartbeat_at DESC
                        """)
                .query((row, index) -> new Report(
                        row.getObject("worker", UUID.class),
                        row.getString("version"),
                        row.getInt("slots"),
                        row.getInt("running"),
                        row.getString("sandbox"),
                        row.getString("limits"),
                        row.getObject("last_heartbeat_at", OffsetDateTime.class).toInstant(),
                        Duration.ofMillis(row.getLong("silence_ms"))))
                .list()
                .stream()
                .collect(Collectors.toMap(Report::worker, Function.identity()));
    }
}
