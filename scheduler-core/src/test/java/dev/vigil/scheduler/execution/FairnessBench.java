package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.protocol.id.UuidV7;
import dev.vigil.scheduler.execution.Fleet.Reply;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Limits;
import dev.vigil.scheduler.task.NewTask;
import dev.vigil.scheduler.task.Schedule;
import dev.vigil.scheduler.task.Tasks;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;

/// How long 999 namespaces with a task each, all due at once, wait, alone and beside one with very many that keeps all
/// workers busy. No part of the tests; to be run by hand on a machine that does nothing else, and it prints its figures
/// (docs/explanation/performance.md, "Fairness").
class FairnessBench {
    private static final int MANY = Integer.getInteger("vigil.bench.many", 100_000);
    private static final int ROUNDS = Integer.getInteger("vigil.bench.rounds", 3);
    private static final int OTHERS = 999;
    private static final int SLOTS = 64;
    private static final Duration RUN = Duration.ofMillis(50);
    private static final int BIG = 1;
    /// From the create of the others to when all of them are due at once.
    private static final Duration AHEAD = Duration.ofSeconds(Integer.getInteger("vigil.bench.ahead", 4));

    /// Milliseconds from the due time to the start.
    private record Waits(double median, double p99) {
        static Waits of(List<Long> nanos) {
            List<Long> sorted = nanos.stream().sorted().toList();
            return new Waits(
                    sorted.get(sorted.size() / 2) / 1e6, sorted.get((int) Math.ceil(sorted.size() * 0.99) - 1) / 1e6);
        }
    }

    @Test
    void the_others_wait_at_most_twice_as_long_beside_a_namespace_with_very_many() {
        round(0);
        var alone = new ArrayList<Waits>();
        var beside = new ArrayList<Waits>();
        for (int i = 0; i < ROUNDS; i++) {
            alone.add(round(0));
            beside.add(round(MANY));
        }

        double ratio = middle(beside) / middle(alone);
        System.out.printf("@ fairness many=%d others=%d p99_ratio=%.2f%n", MANY, OTHERS, ratio);
        assertThat(ratio).isLessThanOrEqualTo(2);
    }

    private static double middle(List<Waits> rounds) {
        return rounds.stream().map(Waits::p99).sorted().toList().get(rounds.size() / 2);
    }

    private static Waits round(int many) {
        try (var fixture = new EngineFixture()) {
            Tasks tasks = fixture.tasks();
            var waits = new ConcurrentHashMap<UUID, Long>();
            var ofBig = new AtomicInteger();
            if (many > 0) {
                NewTask model = task(BIG, Drafts.now());
                tasks.createAll(List.of(model));
                multiply(fixture.database.superuser(), model.id(), many - 1);
            }
            fixture.fleet.behave(dispatch -> {
                if (dispatch.namespace() == BIG) {
                    ofBig.incrementAndGet();
                } else {
                    waits.putIfAbsent(
                            dispatch.execution(),
                            Duration.between(dispatch.scheduledFor(), Instant.now())
                                    .toNanos());
                }
                return Reply.after(RUN);
            });
            fixture.fleet.join(SLOTS);
            try (Dispatcher core = fixture.readyCore()) {
                await().atMost(Duration.ofMinutes(1)).until(() -> many == 0 || ofBig.get() > 10 * SLOTS);
                Instant at = Instant.now().plus(AHEAD);
                List<NewTask> others = IntStream.rangeClosed(1, OTHERS)
                        .mapToObj(i -> task(BIG + i, new Schedule.OneTime(at)))
                        .toList();
                tasks.createAll(others.subList(0, 500));
                tasks.createAll(others.subList(500, OTHERS));
                assertThat(Instant.now()).isBefore(at);
                await().atMost(AHEAD.multipliedBy(10)).until(() -> !waits.isEmpty());
                int before = ofBig.get();
                await().atMost(Duration.ofMinutes(2))
                        .pollInterval(Duration.ofMillis(20))
                        .until(() -> waits.size() == OTHERS);
                Waits seen = Waits.of(List.copyOf(waits.values()));
                System.out.printf(
                        "@ many=%d median_ms=%.0f p99_ms=%.0f big_meanwhile=%d shards=%d%n",
                        many, seen.median, seen.p99, ofBig.get() - before, core.shardsOwned());
                return seen;
            }
        }
    }

    private static NewTask task(int namespace, Schedule schedule) {
        NewTask task = Drafts.task(Drafts.draft("t", schedule), Limits.NONE, 100);
        return new NewTask(
                UuidV7.next(), namespace, Drafts.OWNER, task.draft(), task.payload(), Limits.NONE, task.events());
    }

    /// Copies a task that is due, over all shards.
    private static void multiply(JdbcClient db, UUID task, int n) {
        db.sql("""
                        WITH v AS MATERIALIZED (
                          SELECT uuidv7() AS id, i % (SELECT count(*) FROM scheduler.shard)::int AS shard
                            FROM generate_series(1, :n) i
                        ), t AS (
                          INSERT INTO scheduler.task
                                 (namespace, version, id, owner, shard, payload_version, payload_bytes, timeout_ms,
                                  retry_initial_ms, retry_max_ms, kind, priority, max_attempts, backoff, misfire,
                                  misfire_limit, overlap, key_id, name, handler, payload, labels)
                          SELECT m.namespace, m.version, v.id, m.owner, v.shard, m.payload_version, m.payload_bytes,
                                 m.timeout_ms, m.retry_initial_ms, m.retry_max_ms, m.kind, m.priority, m.max_attempts,
                                 m.backoff, m.misfire, m.misfire_limit, m.overlap, m.key_id, m.name, m.handler,
                                 m.payload, m.labels
                            FROM v CROSS JOIN scheduler.task m WHERE m.id = :task
                        )
                        INSERT INTO scheduler.execution
                               (shard, namespace, id, task_id, due_at, scheduled_for, version, lane)
                        SELECT v.shard, m.namespace, v.id, v.id, m.due_at, m.due_at, m.version, m.lane
                          FROM v CROSS JOIN scheduler.execution m WHERE m.task_id = :task
                        """).param("n", n).param("task", task).update();
        db.sql("VACUUM ANALYZE scheduler.task").update();
        db.sql("VACUUM ANALYZE scheduler.execution").update();
    }
}
