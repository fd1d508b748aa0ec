package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.Fleet.Reply;
import dev.vigil.scheduler.task.CreateResult.Created;
import dev.vigil.scheduler.task.DraftEdit;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Limits;
import dev.vigil.scheduler.task.NewTask;
import dev.vigil.scheduler.task.SharedLimits;
import dev.vigil.scheduler.task.SharedLimits.Rate;
import dev.vigil.scheduler.task.SharedLimits.Scope;
import dev.vigil.scheduler.task.SharedLimits.Setting;
import dev.vigil.scheduler.task.Tasks;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// How many executions of a namespace and of a handler start in a time, over all cores.
class RatesTest {
    private static final String HANDLER = "mail.send";
    private static final Rate TEN = new Rate(10, Duration.ofSeconds(2));

    private final EngineFixture fixture = new EngineFixture();
    private final Tasks tasks = fixture.tasks();
    private final SharedLimits limits = fixture.limits();

    @AfterEach
    void stop() {
        fixture.close();
    }

    @Test
    void in_no_two_seconds_start_more_than_ten_over_two_cores_and_nearly_as_many_do_while_enough_is_due() {
        limit(Scope.ofHandler(HANDLER), TEN);
        fixture.fleet.join(64);
        try (Dispatcher first = fixture.core();
                Dispatcher second = fixture.core()) {
            await().atMost(Duration.ofSeconds(20)).until(() -> first.shardsOwned() == 8 && second.shardsOwned() == 8);
            Instant begin = Instant.now();
            List<UUID> ids =
                    IntStream.range(0, 60).mapToObj(i -> create(1 + i % 2)).toList();
            UUID other = fixture.create(tasks, Drafts.now());
            fixture.awaitState(other, State.SUCCEEDED);

            await().atMost(Duration.ofSeconds(60)).until(() -> succeeded() == ids.size() + 1);

            assertThat(mostStarts(TEN)).isEqualTo(10);
            Duration span = TEN.per().plus(TEN.use()).plus(TEN.step());
            assertThat(Duration.between(begin, Instant.now()))
                    .isGreaterThan(TEN.per().multipliedBy(5))
                    .isLessThan(span.multipliedBy(5).plusSeconds(5));
        }
    }

    @Test
    void a_rate_is_set_explained_and_lifted_while_executions_wait() {
        limit(Scope.ofNamespace(1), new Rate(3, Duration.ofHours(1)));
        fixture.fleet.join(64);
        try (Dispatcher core = fixture.readyCore()) {
            IntStream.range(0, 20).forEach(i -> create(1));
            await().atMost(Duration.ofSeconds(20)).until(() -> succeeded() == 3);
            UUID waiting = create(1);
            await().atMost(Duration.ofSeconds(10))
                    .untilAsserted(() -> assertThat(fixture.executions
                                    .explain(waiting)
                                    .orElseThrow()
                                    .reasons())
                            .extracting(Explanation.Reason::code)
                            .contains("namespace_rate"));
            assertThat(limits.get(Scope.ofNamespace(1)).started()).isEqualTo(3);
            fixture.awaitState(create(2), State.SUCCEEDED);
            assertThat(succeeded()).isEqualTo(4);

            limit(Scope.ofNamespace(1), null);

            await().atMost(Duration.ofSeconds(10)).until(() -> succeeded() == 22);
            assertThat(core.shardsOwned()).isEqualTo(16);
        }
    }

    @Test
    void a_rate_that_is_raised_or_lowered_is_in_force_within_seconds_and_counts_what_has_started() {
        Scope scope = Scope.ofHandler(HANDLER);
        Duration hour = Duration.ofHours(1);
        limit(scope, new Rate(3, hour));
        fixture.fleet.join(64);
        try (Dispatcher core = fixture.readyCore()) {
            IntStream.range(0, 20).forEach(i -> create(1));
            await().atMost(Duration.ofSeconds(20)).until(() -> succeeded() == 3);

            limit(scope, new Rate(8, hour));
            await().atMost(Duration.ofSeconds(10)).until(() -> succeeded() == 8);

            limit(scope, new Rate(5, hour));
            await().during(Duration.ofSeconds(3)).atMost(Duration.ofSeconds(10)).until(() -> succeeded() == 8);

            limit(scope, new Rate(9, hour));
            await().atMost(Duration.ofSeconds(10)).until(() -> succeeded() == 9);
            assertThat(limits.get(scope).started()).isEqualTo(9);

            limit(scope, new Rate(20, hour));
            await().atMost(Duration.ofSeconds(20)).until(() -> succeeded() == 20);
            assertThat(core.shardsOwned()).isEqualTo(16);
        }
    }

    @Test
    void what_a_killed_core_had_in_hand_is_lost_and_its_successor_starts_no_more_than_the_rate() {
        limit(Scope.ofHandler(HANDLER), TEN);
        fixture.fleet.join(4);
        fixture.fleet.behave(dispatch -> Reply.after(Duration.ofMillis(20)));
        Dispatcher first = fixture.readyCore();
        IntStream.range(0, 40).forEach(i -> create(1));
        await().atMost(Duration.ofSeconds(20)).until(() -> succeeded() >= 10);

        fixture.fleet.disconnect(first);
        first.abandon();
        try (Dispatcher second = fixture.core()) {
            await().atMost(Duration.ofSeconds(60)).until(() -> succeeded() == 40);
            assertThat(second.shardsOwned()).isEqualTo(16);
            assertThat(mostStarts(TEN)).isLessThanOrEqualTo(10);
        }
    }

    @Test
    void a_dispatch_that_comes_after_its_time_does_not_commit() {
        UUID id = create(1);
        var incarnation = UUID.randomUUID();
        var db = fixture.database.superuser();
        db.sql("UPDATE scheduler.shard SET owner = :me, epoch = 1")
                .param("me", incarnation)
                .update();
        int shard = db.sql("SELECT shard FROM scheduler.execution")
                .query(Integer.class)
                .single();
        var owned = new Owned(incarnation, List.of(new Owned.Shard(shard, 1, 0)));
        var worker = new WorkerBoot(UUID.randomUUID(), UUID.randomUUID());
        var line = new OwnerWrites.Line(shard, 1, 1, worker, id, 1, new byte[0]);

        assertThat(OwnerWrites.dispatch(db, owned, List.of(line), Instant.now().minusSeconds(1)))
                .isEmpty();
        assertThat(fixture.count("SELECT count(*) FROM scheduler.dispatch")).isZero();
        assertThat(OwnerWrites.dispatch(db, owned, List.of(line), Instant.now().plusSeconds(60)))
                .containsExactly(shard);
        assertThat(fixture.count("SELECT count(*) FROM scheduler.dispatch")).isOne();
    }

    private void limit(Scope scope, @Nullable Rate rate) {
        assertThat(limits.change(scope, null, before -> new Setting(null, rate, 1)))
                .isPresent();
    }

    /// Most starts in any time as long as a rate's.
    private int mostStarts(Rate rate) {
        List<Instant> starts = fixture.database
                .superuser()
                .sql("""
                        SELECT min(d.at) AS at FROM scheduler.dispatch d CROSS JOIN unnest(d.executions) AS x(id)
                          JOIN scheduler.task t ON t.id = x.id
                         WHERE t.handler = :handler GROUP BY x.id ORDER BY at
                        """)
                .param("handler", HANDLER)
                .query((row, index) -> row.getObject("at", OffsetDateTime.class).toInstant())
                .list();
        int most = 0;
        for (int from = 0; from < starts.size(); from++) {
            Instant end = starts.get(from).plus(rate.per());
            most = Math.max(most, (int)
                    starts.stream().skip(from).filter(at -> at.isBefore(end)).count());
        }
        return most;
    }

    private long succeeded() {
        return fixture.count("SELECT count(*) FROM scheduler.history WHERE state = 1");
    }

    private UUID create(int namespace) {
        NewTask task = Drafts.task(DraftEdit.of(Drafts.now()).handler(HANDLER).done(), Limits.NONE, 10);
        var made = new NewTask(
                task.id(), namespace, Drafts.OWNER, task.draft(), task.payload(), Limits.NONE, task.events());
        assertThat(tasks.create(made)).isInstanceOf(Created.class);
        return made.id();
    }
}
