package dev.vigil.scheduler.worker;

import dev.vigil.scheduler.task.Columns;
import java.time.Duration;
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
/// every two and a half seconds while it is heard. One statement for all of them.
public final class PresenceReports implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PresenceReports.class);
    private static final Duration LOOK = Duration.ofMillis(500);
    private static final int LOOKS_BETWEEN_WRITES = 5;

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

    private record Written(UUID boot, long look) {}

    /// Writes from now on.
    public void start() {
        var _ = timer.scheduleWithFixedDelay(this::look, 0, LOOK.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void look() {
        looks++;
        List<WorkerPresence> heard = presence.get();
        if (heard.stream().anyMatch(this::isDue)) {
            write(heard);
        }
    }

    private boolean isDue(WorkerPresence worker) {
        Written before = written.get(worker.boot().worker());
        return before == null
                || !before.boot().equals(worker.boot().boot())
                || looks - before.look() >= LOOKS_BETWEEN_WRITES;
    }

    private void write(List<WorkerPresence> heard) {
        try {
            db.sql("""
                            INSERT INTO scheduler.worker_report (worker, incarnation, boot, version, slots, running,
                                                                 sandbox, limits, last_heartbeat_at)
                            SELECT worker, :incarnation, boot, version, slots, running, sandbox, limits, at
                              FROM unnest(:workers::uuid[], :boots::uuid[], :versions::text[], :slots::int[],
                                          :runnings::int[], :sandboxes::text[], :limits::text[], :ats::timestamptz[])
                                   AS v(worker, boot, version, slots, running, sandbox, limits, at)
                            ON CONFLICT (worker, incarnation) DO UPDATE
                               SET boot = excluded.boot, version = excluded.version, slots = excluded.slots,
                                   running = excluded.running, sandbox = excluded.sandbox, limits = excluded.limits,
                                   last_heartbeat_at = excluded.last_heartbeat_at
                            """)
                    .param("incarnation", incarnation)
                    .params(new Columns<>(heard)
                            .add("workers", new UUID[0], worker -> worker.boot().worker())
                            .add("boots", new UUID[0], worker -> worker.boot().boot())
                            .add("versions", new String[0], WorkerPresence::version)
                            .add("slots", new Integer[0], WorkerPresence::slots)
                            .add("runnings", new Integer[0], WorkerPresence::running)
                            .add("sandboxes", new String[0], WorkerPresence::sandbox)
                            .add("limits", new String[0], WorkerPresence::limits)
                            .add(
                                    "ats",
                                    new String[0],
                                    worker -> worker.lastHeartbeatAt().toString())
                            .arrays())
                    .update();
            heard.forEach(worker -> written.put(
                    worker.boot().worker(), new Written(worker.boot().boot(), looks)));
        } catch (DataAccessException e) {
            LOG.warn("event=worker_reports_not_written workers={} reason={}", heard.size(), e.toString());
        }
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
