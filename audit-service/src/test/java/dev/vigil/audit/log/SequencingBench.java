package dev.vigil.audit.log;

import static org.awaitility.Awaitility.await;

import dev.vigil.postgres.Role;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.UuidV7;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

/// Measures the sequencer on a real PostgreSQL: how many events a second, and how long from commit to checkpoint.
/// Run by hand, see docs/reference/audit.md: it is no test.
public final class SequencingBench {
    private static final int EVENTS = 100_000;
    private static final int EVENTS_A_TASK = 3;
    private static final List<UUID> USERS =
            Stream.generate(UuidV7::next).limit(20).toList();
    private static final List<UUID> WORKERS =
            Stream.generate(UuidV7::next).limit(5).toList();

    private SequencingBench() {}

    /// Prints one line per measurement.
    public static void main(String[] args) throws SQLException {
        for (int eventsPerRow : new int[] {1, 16, 256}) {
            backlog(eventsPerRow);
        }
        for (int perSecond : new int[] {100, 1_000, 5_000}) {
            delay(perSecond);
        }
    }

    private static void backlog(int eventsPerRow) throws SQLException {
        Ledger ledger = Ledger.fresh();
        try (Connection connection = ledger.connections(Role.API).getConnection()) {
            connection.setAutoCommit(false);
            for (int done = 0; done < EVENTS; done += eventsPerRow) {
                Ledger.insert(connection, "scheduler", events(eventsPerRow));
                if (done / eventsPerRow % 100 == 0) {
                    connection.commit();
                }
            }
            connection.commit();
        }
        LogWriter writer = ledger.writer();
        long from = System.nanoTime();
        int events = 0;
        for (LogWriter.Step step = writer.step(); step.rows() > 0; step = writer.step()) {
            events += step.events();
        }
        double seconds = (System.nanoTime() - from) / 1e9;
        long bytes = ledger.asSuperuser().sql("""
                        SELECT sum(pg_total_relation_size(oid))
                          FROM pg_class
                         WHERE relnamespace = 'audit'::regnamespace AND relkind = 'r' AND relname <> 'outbox'
                        """).query(Long.class).single();
        System.out.printf(
                "backlog of %d events, %d a row: %.0f events/s; %d bytes stored an event%n",
                events, eventsPerRow, events / seconds, bytes / events);
    }

    private static void delay(int perSecond) throws SQLException {
        Ledger ledger = Ledger.fresh();
        int seconds = 20;
        int perCommit = Math.max(1, perSecond / 100);
        int commits = perSecond * seconds / perCommit;
        var committed = new AtomicLongArray(commits);
        var listed = new long[commits];
        try (var sequencer = new Sequencer(ledger.connections(Role.AUDIT), ledger.settings());
                Connection reading = ledger.connections(Role.AUDIT).getConnection();
                Connection writing = ledger.connections(Role.API).getConnection();
                ScheduledExecutorService pace = Executors.newSingleThreadScheduledExecutor()) {
            sequencer.start();
            var next = new AtomicInteger();
            ScheduledFuture<?> emitting = pace.scheduleAtFixedRate(
                    () -> {
                        int i = next.getAndIncrement();
                        if (i < commits) {
                            Ledger.insert(writing, "scheduler", events(perCommit));
                            committed.set(i, System.nanoTime());
                        }
                    },
                    0,
                    1_000_000_000L * perCommit / perSecond,
                    TimeUnit.NANOSECONDS);
            var checkpoints = new Checkpoints(JdbcClient.create(new SingleConnectionDataSource(reading, true)));
            var seen = new AtomicInteger();
            await().atMost(Duration.ofMinutes(5))
                    .pollInterval(Duration.ofMillis(5))
                    .until(() -> {
                        long size = checkpoints
                                .latest()
                                .map(signed -> signed.head().size())
                                .orElse(0L);
                        long now = System.nanoTime();
                        for (; seen.get() < size / perCommit; seen.incrementAndGet()) {
                            listed[seen.get()] = now;
                        }
                        return seen.get() == commits;
                    });
            emitting.cancel(false);
        }
        long[] delays = IntStream.range(0, commits)
                .mapToLong(i -> listed[i] - committed.get(i))
                .toArray();
        Arrays.sort(delays);
        System.out.printf(
                "%d events/s in commits of %d: commit to checkpoint p50 %d ms, p99 %d ms, max %d ms%n",
                perSecond,
                perCommit,
                delays[commits / 2] / 1_000_000,
                delays[commits * 99 / 100] / 1_000_000,
                delays[commits - 1] / 1_000_000);
    }

    private static List<AuditEvent> events(int count) {
        var events = new ArrayList<AuditEvent>();
        UUID task = UuidV7.next();
        for (int i = 0; i < count; i++) {
            task = i % EVENTS_A_TASK == 0 ? UuidV7.next() : task;
            events.add(AuditEvent.of(
                            EventType.TASK_EXECUTION,
                            "execute",
                            Result.SUCCESS,
                            InstantSource.system().instant())
                    .user(USERS.get(i % USERS.size()))
                    .task(task)
                    .execution(task)
                    .worker(WORKERS.get(i % WORKERS.size()))
                    .namespace(1)
                    .durationMillis(41)
                    .with("handler", "backup.database")
                    .with("request_id", "req_01k9abcdefghjkmnpqrstvwxyz"));
        }
        return events;
    }
}
