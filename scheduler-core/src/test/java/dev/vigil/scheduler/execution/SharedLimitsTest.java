package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.protocol.id.UuidV7;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.Fleet.Reply;
import dev.vigil.scheduler.task.CreateResult.Created;
import dev.vigil.scheduler.task.DraftEdit;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.Limits;
import dev.vigil.scheduler.task.NewTask;
import dev.vigil.scheduler.task.SharedLimits;
import dev.vigil.scheduler.task.SharedLimits.Scope;
import dev.vigil.scheduler.task.SharedLimits.Setting;
import dev.vigil.scheduler.task.Tasks;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// How many executions of a namespace and of a handler run at once, over all shards and cores.
class SharedLimitsTest {
    private static final String HANDLER = "backup.database";
    private static final UUID OWNER = UuidV7.next();

    private final EngineFixture fixture = new EngineFixture();
    private final Tasks tasks = fixture.tasks();
    private final SharedLimits limits = fixture.limits();
    private final AtomicInteger running = new AtomicInteger();
    private final AtomicInteger most = new AtomicInteger();

    @AfterEach
    void stop() {
        fixture.close();
    }

    @Test
    void of_a_handler_with_a_limit_of_three_no_more_run_over_two_cores_and_all_of_two_namespaces_run() {
        limit(Scope.ofHandler(HANDLER), 3);
        IntStream.range(0, 300).forEach(i -> create(1 + i % 2, HANDLER, Limits.NONE));
        UUID other = create(1, "demo.echo", Limits.NONE);
        count(Duration.ofMillis(10));
        try (Dispatcher first = fixture.core();
                Dispatcher second = fixture.core()) {
            await().atMost(Duration.ofSeconds(20)).until(() -> first.shardsOwned() == 8 && second.shardsOwned() == 8);
            fixture.fleet.join(64);

            fixture.awaitState(other, State.SUCCEEDED);
            await().atMost(Duration.ofSeconds(60)).until(() -> succeeded() == 301);
            assertThat(most).hasValue(3);
            awaitNothingTaken();
        }
    }

    @Test
    void a_limit_of_three_over_sixteen_shards_is_filled_by_one_core() {
        limit(Scope.ofHandler(HANDLER), 3);
        IntStream.range(0, 300).forEach(i -> create(1, HANDLER, Limits.NONE));
        count(Duration.ofMillis(10));
        try (Dispatcher core = fixture.core()) {
            await().atMost(Duration.ofSeconds(20)).until(() -> core.shardsOwned() == 16);
            fixture.fleet.join(64);

            // Three rows of a hundred take a second; 16 s when permits go round once a second.
            await().atMost(Duration.ofSeconds(10)).until(() -> succeeded() == 300);
            assertThat(most).hasValue(3);
            awaitNothingTaken();
        }
    }

    @Test
    void an_owners_limit_of_four_over_sixteen_shards_is_filled_by_two_cores() {
        IntStream.range(0, 300).forEach(i -> create(1, HANDLER, new Limits(null, 4)));
        count(Duration.ofMillis(10));
        try (Dispatcher first = fixture.core();
                Dispatcher second = fixture.core()) {
            await().atMost(Duration.ofSeconds(20)).until(() -> first.shardsOwned() == 8 && second.shardsOwned() == 8);
            fixture.fleet.join(64);

            await().atMost(Duration.ofSeconds(10)).until(() -> succeeded() == 300);
            assertThat(most).hasValue(4);
            awaitNothingTaken();
        }
    }

    @Test
    void what_is_under_three_limits_at_once_keeps_to_all_of_them_and_none_is_leaked() {
        limit(Scope.ofHandler(HANDLER), 4);
        limit(Scope.ofNamespace(2), 2);
        var ofNamespace = new AtomicInteger();
        var mostOfNamespace = new AtomicInteger();
        fixture.fleet.behave(dispatch -> {
            most.accumulateAndGet(running.incrementAndGet(), Math::max);
            if (dispatch.namespace() == 2) {
                mostOfNamespace.accumulateAndGet(ofNamespace.incrementAndGet(), Math::max);
            }
            return Reply.after(Duration.ofMillis(5));
        });
        fixture.fleet.onEnd(dispatch -> {
            running.decrementAndGet();
            if (dispatch.namespace() == 2) {
                ofNamespace.decrementAndGet();
            }
        });
        fixture.fleet.join(64);
        IntStream.range(0, 120).forEach(i -> create(1 + i % 3, HANDLER, new Limits(null, 3)));
        try (Dispatcher first = fixture.core();
                Dispatcher second = fixture.core()) {
            await().atMost(Duration.ofSeconds(60)).until(() -> succeeded() == 120);
            assertThat(first.shardsOwned() + second.shardsOwned()).isEqualTo(16);
            assertThat(most).hasValueBetween(2, 4);
            assertThat(mostOfNamespace).hasValueBetween(1, 2);
            awaitNothingTaken();
        }
    }

    @Test
    void a_limit_that_is_set_changed_and_lifted_while_executions_run_holds_within_seconds_and_lets_drain() {
        fixture.fleet.behave(dispatch -> Reply.forever());
        fixture.fleet.join(64);
        try (Dispatcher core = fixture.readyCore()) {
            List<UUID> ids = IntStream.range(0, 6)
                    .mapToObj(i -> create(1, HANDLER, Limits.NONE))
                    .toList();
            await().atMost(Duration.ofSeconds(20)).until(() -> running(ids) == 6);

            limit(Scope.ofHandler(HANDLER), 2);
            await().atMost(Duration.ofSeconds(10))
                    .until(() -> fixture.count("SELECT taken FROM scheduler.concurrency WHERE kind = 3") == 6);
            UUID late = create(2, HANDLER, Limits.NONE);
            awaitReason(late, "handler_limit");
            await().during(OwnerLoop.HOUSEKEEPING.multipliedBy(2))
                    .atMost(Duration.ofSeconds(10))
                    .until(() -> fixture.execution(late).state() == State.QUEUED);
            ids.stream().limit(4).forEach(this::cancel);
            await().during(Duration.ofSeconds(3)).atMost(Duration.ofSeconds(20)).until(() -> running(ids) == 2);
            assertThat(fixture.execution(late).state()).isEqualTo(State.QUEUED);

            limit(Scope.ofNamespace(2), 0);
            // A core has heard of it within a second or so.
            await().during(OwnerLoop.HOUSEKEEPING.multipliedBy(2))
                    .atMost(Duration.ofSeconds(10))
                    .until(() -> fixture.execution(late).state() == State.QUEUED);
            limit(Scope.ofHandler(HANDLER), 3);
            awaitReason(late, "namespace_limit");
            limit(Scope.ofNamespace(2), null);
            fixture.awaitState(late, State.RUNNING);

            limit(Scope.ofHandler(HANDLER), null);
            List<UUID> more = IntStream.range(0, 5)
                    .mapToObj(i -> create(1, HANDLER, Limits.NONE))
                    .toList();
            await().atMost(Duration.ofSeconds(20)).until(() -> running(more) == 5);
            awaitNothingTaken();
            assertThat(core.shardsOwned()).isEqualTo(16);
        }
    }

    @Test
    void the_successor_of_a_killed_core_takes_over_what_runs_with_its_permits_and_keeps_the_limit() {
        limit(Scope.ofNamespace(1), 3);
        fixture.fleet.behave(dispatch -> Reply.forever());
        fixture.fleet.join(64);
        Dispatcher first = fixture.readyCore();
        List<UUID> ids = IntStream.range(0, 8)
                .mapToObj(i -> create(1, HANDLER, Limits.NONE))
                .toList();
        await().atMost(Duration.ofSeconds(20)).until(() -> running(ids) == 3);

        fixture.fleet.disconnect(first);
        first.abandon();
        try (Dispatcher second = fixture.core()) {
            await().atMost(Duration.ofSeconds(30)).until(() -> second.shardsOwned() == 16);
            await().during(Duration.ofSeconds(3)).atMost(Duration.ofSeconds(20)).until(() -> running(ids) == 3);
            ids.stream()
                    .filter(id -> fixture.execution(id).state() == State.RUNNING)
                    .toList()
                    .forEach(this::cancel);
            await().atMost(Duration.ofSeconds(30)).until(() -> running(ids) == 3);
            assertThat(fixture.fleet.runs()).hasSize(6);
        }
    }

    private void count(Duration each) {
        fixture.fleet.behave(dispatch -> {
            if (!dispatch.handler().equals(HANDLER)) {
                return Reply.succeed();
            }
            most.accumulateAndGet(running.incrementAndGet(), Math::max);
            return Reply.after(each);
        });
        fixture.fleet.onEnd(dispatch -> {
            if (dispatch.handler().equals(HANDLER)) {
                running.decrementAndGet();
            }
        });
    }

    private void limit(Scope scope, @Nullable Integer maxConcurrent) {
        assertThat(limits.change(scope, null, before -> new Setting(maxConcurrent, null, 1)))
                .isPresent();
    }

    private void awaitNothingTaken() {
        await().atMost(Duration.ofSeconds(10))
                .until(() -> fixture.count("SELECT sum(taken) FROM scheduler.concurrency") == 0);
        assertThat(fixture.count("SELECT count(*) FROM scheduler.permit WHERE n > 0"))
                .isZero();
    }

    private void awaitReason(UUID id, String code) {
        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(
                                fixture.executions.explain(id).orElseThrow().reasons())
                        .extracting(Explanation.Reason::code)
                        .contains(code));
    }

    private void cancel(UUID id) {
        fixture.executions.cancel(id, Events.of(Drafts.event(id)));
    }

    private long succeeded() {
        return fixture.count("SELECT count(*) FROM scheduler.history WHERE state = 1");
    }

    private long running(List<UUID> ids) {
        return ids.stream()
                .filter(id -> fixture.execution(id).state() == State.RUNNING)
                .count();
    }

    private UUID create(int namespace, String handler, Limits own) {
        NewTask task = Drafts.task(DraftEdit.of(Drafts.now()).handler(handler).done(), own, 10);
        var made = new NewTask(task.id(), namespace, OWNER, task.draft(), task.payload(), own, task.events());
        assertThat(tasks.create(made)).isInstanceOf(Created.class);
        return made.id();
    }
}
