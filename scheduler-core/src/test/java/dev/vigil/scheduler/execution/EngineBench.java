package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.Role;
import dev.vigil.scheduler.TestDatabase;
import dev.vigil.scheduler.execution.AttemptEnd.Outcome;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.NewTask;
import dev.vigil.scheduler.task.Tasks;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

/// Create and drain on the engine alone: two connections each, a link that ends everything at once. No part of the
/// tests; to be run on a machine that does nothing else (docs/explanation/engine.md, "What an execution costs").
class EngineBench {
    private static final int TASKS = Integer.getInteger("vigil.bench.tasks", 50_000);
    private static final int CREATORS = 2;

    private final TestDatabase database = new TestDatabase();

    @Test
    void what_a_task_costs_to_create_and_to_drain() throws Exception {
        create(2_000);
        drain(2_000);

        Reading before = reading();
        create(TASKS);
        print("create", before, reading());
        before = reading();
        drain(TASKS);
        print("drain", before, reading());

        assertThat(count("SELECT count(*) FROM scheduler.execution")).isZero();
    }

    private void create(int n) throws Exception {
        try (ExecutorService creators = Executors.newFixedThreadPool(CREATORS)) {
            var pending = new ArrayList<Future<?>>();
            for (int creator = 0; creator < CREATORS; creator++) {
                pending.add(creators.submit(() -> createSome(n / CREATORS)));
            }
            for (Future<?> one : pending) {
                one.get();
            }
        }
    }

    private void createSome(int n) {
        Credentials api = database.database().as(Role.API);
        var source = new SingleConnectionDataSource(api.url(), api.username(), api.password(), true);
        var tasks = new Tasks(
                JdbcClient.create(source),
                new DataSourceTransactionManager(source),
                InstantSource.system(),
                hints -> {});
        for (int done = 0; done < n; done += 500) {
            List<NewTask> batch = IntStream.range(0, Math.min(500, n - done))
                    .mapToObj(i -> Drafts.task(Drafts.now()))
                    .toList();
            assertThat(tasks.createAll(batch)).hasSameSizeAs(batch);
        }
        source.destroy();
    }

    private void drain(int ended) {
        Credentials role = database.database().as(Role.CORE);
        var settings = new Dispatcher.Settings(
                UUID.randomUUID(), role.url(), role.username(), role.password(), CREATORS, Retention.USUAL);
        var core = new Dispatcher(settings, new Random(7));
        try (var link = new EndsAtOnce(core)) {
            core.start(link, "https://127.0.0.1:1");
            await().atMost(Duration.ofMinutes(5))
                    .pollInterval(Duration.ofMillis(10))
                    .until(() -> link.settled.get() >= ended);
            core.close();
        }
    }

    /// A link to one worker that has room for everything and runs nothing.
    private static final class EndsAtOnce implements Link, AutoCloseable {
        final AtomicInteger settled = new AtomicInteger();
        private final WorkerBoot worker = new WorkerBoot(UUID.randomUUID(), UUID.randomUUID());
        private final ExecutorService thread = Executors.newSingleThreadExecutor();
        private final LinkEvents events;

        EndsAtOnce(LinkEvents events) {
            this.events = events;
        }

        @Override
        public Optional<Credits> take(int namespace, String handler, int atMost) {
            return Optional.of(new Credits(worker, atMost));
        }

        @Override
        public Lack lack(int namespace, String handler) {
            return Lack.NO_CREDIT;
        }

        @Override
        public void giveBack(Credits credits) {
            // It has room for everything.
        }

        @Override
        public void send(WorkerBoot to, List<Dispatch> dispatches) {
            List<AttemptEnd> ends = dispatches.stream()
                    .map(dispatch -> new AttemptEnd(
                            new Running(dispatch.execution(), dispatch.fence()),
                            Outcome.SUCCEEDED,
                            Duration.ZERO,
                            null,
                            false,
                            null,
                            null,
                            false))
                    .toList();
            thread.execute(() -> events.ended(to, ends));
        }

        @Override
        public void cancel(WorkerBoot at, List<Running> executions) {
            // Nothing runs.
        }

        @Override
        public void settle(WorkerBoot with, List<Settled> results) {
            settled.addAndGet(results.size());
        }

        @Override
        public void close() {
            thread.shutdownNow();
        }
    }

    private record Reading(long nanos, long walBytes, long commits) {}

    /// Commits are counted by PostgreSQL about a second late.
    private Reading reading() {
        long nanos = System.nanoTime();
        long wal = count("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint");
        await().pollDelay(Duration.ofMillis(1500)).until(() -> true);
        return new Reading(
                nanos, wal, count("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"));
    }

    private static void print(String phase, Reading before, Reading after) {
        double seconds = (after.nanos - before.nanos) / 1e9 - 1.5;
        System.out.printf(
                "@ %s tasks=%d per_second=%.0f wal_bytes_per_task=%.0f commits_per_task=%.4f%n",
                phase,
                TASKS,
                TASKS / seconds,
                (after.walBytes - before.walBytes) / (double) TASKS,
                (after.commits - before.commits) / (double) TASKS);
    }

    private long count(String sql) {
        return database.superuser().sql(sql).query(Long.class).single();
    }
}
