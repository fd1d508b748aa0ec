package dev.vigil.scheduler.worker;

import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;

/// Writes down which workers this core hears, for `GET /api/v1/workers`: a row each, when it came or changed, and else
/// every two seconds while it is heard.
public final class PresenceReports implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PresenceReports.class);
    private static final Duration LOOK = Duration.ofMillis(500);
    private static final int LOOKS_BETWEEN_WRITES = 4;

    private final JdbcClient db;
    private final UUID incarnation;
    private final Supplier<List<WorkerPresence>> presence;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("worker-presence").factory());
    private final Map<UUID, Written> written = new HashMap<>();
    private long looks;

    /// Reports of one life of a core.
    public PresenceReports(JdbcClient db, UUID incarnation, Supplier<List<WorkerPresence>> presence) {
        this.db = db;
        this.incarnation = incarnation;
        this.presence = presence;
    }

    private record Written(UUID boot, int running, long look) {}

    /// Writes from now on.
    public void start() {
        var _ = timer.scheduleWithFixedDelay(this::look, 0, LOOK.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void look() {
        looks++;
        for (WorkerPresence worker : presence.get()) {
            Written before = written.get(worker.boot().worker());
            if (before == null
                    || !before.boot().equals(worker.boot().boot())
                    || looks - before.look() >= LOOKS_BETWEEN_WRITES) {
                write(worker);
            }
        }
    }

    private void write(WorkerPresence worker) {
        try {
            db.sql("""
                            INSERT INTO scheduler.worker_report (worker, incarnation, boot, version, slots, running,
                                                                 sandbox, limits, last_heartbeat_at)
                            VALUES (:worker, :incarnation, :boot, :version, :slots, :running, :sandbox, :limits, :at)
                            ON CONFLICT (worker, incarnation) DO UPDATE
                               SET boot = excluded.boot, version = excluded.version, slots = excluded.slots,
                                   running = excluded.running, sandbox = excluded.sandbox, limits = excluded.limits,
                                   last_heartbeat_at = excluded.last_heartbeat_at
                            """)
                    .param("worker", worker.boot().worker())
                    .param("incarnation", incarnation)
                    .param("boot", worker.boot().boot())
                    .param("version", worker.version())
                    .param("slots", worker.slots())
                    .param("running", worker.running())
                    .param("sandbox", worker.sandbox())
                    .param("limits", worker.limits())
                    .param("at", OffsetDateTime.ofInstant(worker.lastHeartbeatAt(), ZoneOffset.UTC))
                    .update();
            written.put(worker.boot().worker(), new Written(worker.boot().boot(), worker.running(), looks));
        } catch (DataAccessException e) {
            LOG.warn(
                    "event=worker_report_not_written worker={} reason={}",
                    worker.boot().worker(),
                    e.toString());
        }
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
