package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.Fleet.Reply;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Schedule;
import dev.vigil.scheduler.task.Tasks;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TwoCoresTest {
    /// From the decision to the run, on a machine with much else to do.
    private static final Duration TAKES = Duration.ofSeconds(5);

    private final EngineFixture fixture = new EngineFixture();
    private final Tasks tasks = fixture.tasks();

    @AfterEach
    void close() {
        fixture.close();
    }

    @Test
    void of_two_cores_under_load_one_is_killed_and_every_task_is_completed_exactly_once() {
        Dispatcher first = fixture.readyCore();
        Dispatcher second = fixture.core();
        await().atMost(Duration.ofSeconds(20)).until(() -> second.shardsOwned() == 8 && first.shardsOwned() == 8);
        fixture.fleet.behave(dispatch -> Reply.after(Duration.ofMillis(20)));
        fixture.fleet.join(8);
        Instant later = Instant.now().plusSeconds(8);
        List<UUID> ids = IntStream.range(0, 300)
                .mapToObj(i -> fixture.create(tasks, i % 2 == 0 ? Drafts.now() : new Schedule.OneTime(later)))
                .toList();

        await().until(() -> fixture.count("SELECT count(*) FROM scheduler.history") > 20);
        fixture.fleet.disconnect(first);
        first.abandon();

        await().atMost(Duration.ofSeconds(60))
                .until(() -> fixture.count("SELECT count(*) FROM scheduler.history WHERE state = 1") == 300);
        assertThat(fixture.count("SELECT count(DISTINCT id) FROM scheduler.history"))
                .isEqualTo(300);
        assertThat(fixture.count("SELECT count(*) FROM scheduler.execution")).isZero();
        await().atMost(Duration.ofSeconds(20)).until(() -> second.shardsOwned() == 16);
        assertThat(ids).allSatisfy(id -> assertThat(fixture.fleet.runsOf(id)).isNotEmpty());
        second.close();
    }

    @Test
    void what_is_short_ends_where_it_began_when_a_new_core_gets_its_share() {
        Dispatcher first = fixture.readyCore();
        fixture.fleet.behave(dispatch -> Reply.after(Duration.ofMillis(200)));
        fixture.fleet.join(1_000);
        Instant start = Instant.now();
        for (int i = 0; i < 400; i++) {
            fixture.create(tasks, new Schedule.OneTime(start.plusMillis(500 + i * 10L)));
        }

        Dispatcher second = fixture.core();

        await().atMost(Duration.ofSeconds(30))
                .until(() -> fixture.count("SELECT count(*) FROM scheduler.history WHERE state = 1") == 400);
        assertThat(second.shardsOwned()).isEqualTo(8);
        // A core that adopts what runs lists it again.
        assertThat(fixture.count("""
                        SELECT count(*) FROM (SELECT FROM scheduler.dispatch d CROSS JOIN unnest(d.executions) AS x(id)
                                               GROUP BY x.id HAVING count(*) > 1) again
                        """)).isZero();
        assertThat(fixture.fleet.runs()).hasSize(400);
        first.close();
        second.close();
    }

    @Test
    void a_core_that_stops_in_order_hands_over_what_runs_and_nothing_runs_twice() {
        Dispatcher first = fixture.readyCore();
        fixture.fleet.behave(dispatch -> Reply.after(Duration.ofSeconds(4)));
        fixture.fleet.join(4);
        UUID id = fixture.create(tasks, Drafts.now());
        fixture.awaitState(id, State.RUNNING);
        Dispatcher second = fixture.core();

        first.close();
        fixture.fleet.disconnect(first);

        // What said goodbye is not waited for: a shard is free at once, and taken within a poll or two, where a core
        // that vanished is watched for longer.
        await().atMost(BeatWatch.PATIENCE.minusSeconds(1)).until(() -> second.shardsOwned() == 16);
        fixture.awaitState(id, State.SUCCEEDED);
        assertThat(fixture.fleet.runsOf(id)).hasSize(1);
        second.close();
    }

    @Test
    void what_a_killed_worker_ran_goes_to_the_next_one_when_it_comes_back_with_a_new_boot() {
        Dispatcher core = fixture.readyCore();
        fixture.fleet.behave(dispatch -> Reply.forever());
        WorkerBoot worker = fixture.fleet.join(4);
        UUID id = fixture.create(tasks, Drafts.now());
        fixture.awaitState(id, State.RUNNING);

        fixture.fleet.behave(dispatch -> Reply.succeed());
        fixture.fleet.kill(worker);
        fixture.fleet.join(worker.worker(), 4);

        fixture.awaitState(id, State.SUCCEEDED);
        assertThat(fixture.fleet.runsOf(id)).hasSize(2);
        assertThat(fixture.execution(id).attempt()).isOne();
        core.close();
    }

    @Test
    void what_a_silent_worker_ran_goes_to_another_one_within_18_seconds_of_its_silence() {
        Dispatcher core = fixture.readyCore();
        fixture.fleet.behave(dispatch -> Reply.forever());
        WorkerBoot worker = fixture.fleet.join(4);
        UUID id = fixture.create(tasks, Drafts.now());
        fixture.awaitState(id, State.RUNNING);

        fixture.fleet.behave(dispatch -> Reply.succeed());
        fixture.fleet.kill(worker);
        // The silence began before it was noticed.
        Duration unnoticed = Duration.ofSeconds(7);
        Instant silent = Instant.now().minus(unnoticed);
        fixture.fleet.noticeSilence(worker, unnoticed);
        fixture.fleet.join(4);

        await().atMost(Orphans.SILENCE.multipliedBy(2))
                .untilAsserted(() -> assertThat(fixture.execution(id).state()).isEqualTo(State.SUCCEEDED));
        Instant again = fixture.fleet.runsOf(id).getLast().at();
        assertThat(again).isAfterOrEqualTo(silent.plus(Orphans.SILENCE));
        // Open dispatches are looked at once a second; the rest is for a machine that has much else to do.
        assertThat(again)
                .isBefore(silent.plus(Orphans.SILENCE)
                        .plus(OwnerLoop.HOUSEKEEPING)
                        .plus(TAKES));
        core.close();
    }

    @Test
    void a_goodbye_gives_everything_back_at_once_and_burns_nothing() {
        Dispatcher core = fixture.readyCore();
        fixture.fleet.behave(dispatch -> Reply.forever());
        WorkerBoot worker = fixture.fleet.join(4);
        UUID id = fixture.create(tasks, Drafts.now());
        fixture.awaitState(id, State.RUNNING);

        fixture.fleet.behave(dispatch -> Reply.succeed());
        fixture.fleet.sayGoodbye(worker);
        fixture.fleet.join(4);

        fixture.awaitState(id, State.SUCCEEDED);
        assertThat(fixture.count("SELECT losses FROM scheduler.history")).isZero();
        core.close();
    }
}
