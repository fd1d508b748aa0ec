package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.protocol.id.UuidV7;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.Fleet.Reply;
import dev.vigil.scheduler.task.CreateResult.Created;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.Limits;
import dev.vigil.scheduler.task.NewTask;
import dev.vigil.scheduler.task.Tasks;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// How many executions of one owner run at once, over all shards and cores.
class ConcurrencyTest {
    private static final UUID OWNER = UuidV7.next();

    private final EngineFixture fixture = new EngineFixture();
    private final Tasks tasks = fixture.tasks();
    private Dispatcher core = fixture.readyCore();

    @AfterEach
    void stop() {
        core.close();
        fixture.close();
    }

    @Test
    void no_more_run_at_once_than_the_limit_says_and_all_of_them_run() {
        var running = new AtomicInteger();
        var most = new AtomicInteger();
        fixture.fleet.join(64);
        fixture.fleet.behave(dispatch -> {
            most.accumulateAndGet(running.incrementAndGet(), Math::max);
            return Reply.after(Duration.ofMillis(50));
        });
        fixture.fleet.onEnd(dispatch -> running.decrementAndGet());

        List<UUID> ids = IntStream.range(0, 60)
                .mapToObj(i -> create(new Limits(null, 5)))
                .toList();
        UUID unlimited = fixture.create(tasks, Drafts.now());

        fixture.awaitState(unlimited, State.SUCCEEDED);
        ids.forEach(id -> fixture.awaitState(id, State.SUCCEEDED));
        assertThat(most).hasValueLessThanOrEqualTo(6);
        await().atMost(Duration.ofSeconds(10))
                .until(() -> fixture.count("SELECT taken FROM scheduler.concurrency") == 0);
        assertThat(fixture.count("SELECT count(*) FROM scheduler.permit WHERE n > 0"))
                .isZero();
    }

    @Test
    void a_limit_holds_through_a_change_of_owner_and_explain_says_so() {
        fixture.fleet.join(64);
        fixture.fleet.behave(dispatch -> Reply.forever());
        List<UUID> ids =
                IntStream.range(0, 8).mapToObj(i -> create(new Limits(null, 3))).toList();
        await().atMost(Duration.ofSeconds(20)).until(() -> running(ids) == 3);
        UUID queued = ids.stream()
                .filter(id -> fixture.execution(id).state() == State.QUEUED)
                .findFirst()
                .orElseThrow();
        await().untilAsserted(() -> assertThat(
                        fixture.executions.explain(queued).orElseThrow().reasons())
                .first()
                .extracting(Explanation.Reason::code)
                .isEqualTo("concurrency_limit"));

        core.close();
        core = fixture.readyCore();

        await().during(Duration.ofSeconds(3)).atMost(Duration.ofSeconds(20)).until(() -> running(ids) == 3);
        tasks.limitRunning(1, OWNER, 5);
        await().atMost(Duration.ofSeconds(20)).until(() -> running(ids) == 5);
        tasks.limitRunning(1, OWNER, 1);
        ids.stream()
                .filter(id -> fixture.execution(id).state() == State.RUNNING)
                .toList()
                .forEach(id -> fixture.executions.cancel(id, Events.of(Drafts.event(id))));
        await().atMost(Duration.ofSeconds(20)).until(() -> running(ids) <= 1);
        await().atMost(Duration.ofSeconds(20)).until(() -> running(ids) == 1);
        await().during(Duration.ofSeconds(2)).atMost(Duration.ofSeconds(5)).until(() -> running(ids) == 1);
    }

    private long running(List<UUID> ids) {
        return ids.stream()
                .filter(id -> fixture.execution(id).state() == State.RUNNING)
                .count();
    }

    private UUID create(Limits limits) {
        NewTask task = Drafts.task(Drafts.draft("t", Drafts.now()), limits, 10);
        var own = new NewTask(task.id(), 1, OWNER, task.draft(), task.payload(), limits, task.events());
        assertThat(tasks.create(own)).isInstanceOf(Created.class);
        return own.id();
    }
}
