package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.postgres.Role;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.Explanation.Reason;
import dev.vigil.scheduler.execution.Fleet.Reply;
import dev.vigil.scheduler.task.CommandResult;
import dev.vigil.scheduler.task.CreateResult.Refused;
import dev.vigil.scheduler.task.DraftEdit;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.Schedule;
import dev.vigil.scheduler.task.TaskRef;
import dev.vigil.scheduler.task.TaskView;
import dev.vigil.scheduler.task.Tasks;
import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Tasks that come after others.
class DependencyTest {
    private static final Schedule LATER = new Schedule.OneTime(Instant.parse("2090-01-01T00:00:00Z"));

    private final EngineFixture fixture = new EngineFixture();
    private final Tasks tasks = fixture.tasks();
    private final Set<UUID> failing = ConcurrentHashMap.newKeySet();
    private final Set<UUID> endless = ConcurrentHashMap.newKeySet();
    private Dispatcher core = fixture.readyCore();

    DependencyTest() {
        fixture.fleet.behave(dispatch -> endless.contains(dispatch.task())
                ? Reply.forever()
                : failing.contains(dispatch.task()) ? Reply.fail(false) : Reply.succeed());
        fixture.fleet.join(64);
    }

    @AfterEach
    void stop() {
        core.close();
        fixture.close();
    }

    @Test
    void what_comes_after_two_others_waits_for_both_and_then_runs() {
        UUID first = fixture.create(tasks, LATER);
        UUID second = fixture.create(tasks, LATER);
        UUID third = after(first, second);

        assertThat(fixture.execution(third).state()).isEqualTo(State.WAITING);
        assertThat(tasks.get(third).orElseThrow().draft().after()).containsExactly(first, second);
        run(first);
        fixture.awaitState(first, State.SUCCEEDED);
        await().untilAsserted(() -> assertThat(reason(third))
                .isEqualTo(new Reason("dependency", "It runs when these have succeeded: " + text(second) + ".")));
        assertThat(fixture.fleet.runsOf(third)).isEmpty();

        run(second);
        fixture.awaitState(third, State.SUCCEEDED);

        assertThat(fixture.count("SELECT count(*) FROM scheduler.dependency")).isZero();
        await().until(() -> fixture.count("SELECT count(*) FROM scheduler.inbox WHERE kind = 10") == 0);
    }

    @Test
    void what_comes_after_a_failure_is_skipped_and_so_is_what_comes_after_that() {
        UUID first = fixture.create(tasks, LATER);
        failing.add(first);
        UUID second = after(first);
        UUID third = after(second);

        run(first);
        fixture.awaitState(third, State.SKIPPED);

        assertThat(fixture.execution(second).errorCode()).isEqualTo("dependency_failed");
        assertThat(reason(second).detail()).endsWith("Not all of these have succeeded: " + text(first) + ".");
        assertThat(reason(third).detail()).contains(text(second));
        assertThat(fixture.fleet.runsOf(second)).isEmpty();
        assertThat(tasks.get(second).orElseThrow().state()).isEqualTo(TaskView.State.FINISHED);
        await().until(() -> fixture.count("SELECT count(*) FROM scheduler.inbox WHERE kind = 10") == 0);
    }

    @Test
    void what_comes_after_something_that_has_ended_goes_by_how_it_ended() {
        UUID done = fixture.create(tasks, Drafts.now());
        UUID failed = fixture.create(tasks, LATER);
        failing.add(failed);
        run(failed);
        fixture.awaitState(done, State.SUCCEEDED);
        fixture.awaitState(failed, State.FAILED);

        UUID runs = after(done);
        UUID skipped = after(done, failed);

        fixture.awaitState(runs, State.SUCCEEDED);
        fixture.awaitState(skipped, State.SKIPPED);
    }

    @Test
    void what_comes_after_a_cancelled_execution_is_skipped() {
        UUID first = fixture.create(tasks, LATER);
        UUID second = after(first);

        assertThat(fixture.executions.cancel(first, event(first))).isEqualTo(new CommandResult.Accepted());

        fixture.awaitState(second, State.SKIPPED);
    }

    @Test
    void a_pause_holds_what_waits_and_its_own_time_is_kept_too() {
        UUID first = fixture.create(tasks, LATER);
        UUID paused = after(first);
        UUID resumedBefore = after(first);
        UUID ahead = fixture.create(tasks, DraftEdit.of(LATER).after(first).done());
        List.of(paused, resumedBefore).forEach(id -> tasks.pause(new TaskRef(1, id), event(id)));
        fixture.awaitState(paused, State.HELD);
        tasks.resume(new TaskRef(1, resumedBefore), event(resumedBefore));
        fixture.awaitState(resumedBefore, State.WAITING);

        run(first);
        fixture.awaitState(resumedBefore, State.SUCCEEDED);
        fixture.awaitState(ahead, State.QUEUED);
        assertThat(fixture.execution(paused).state()).isEqualTo(State.HELD);
        tasks.resume(new TaskRef(1, paused), event(paused));

        fixture.awaitState(paused, State.SUCCEEDED);
        assertThat(fixture.fleet.runsOf(ahead)).isEmpty();
    }

    @Test
    void an_end_whose_statement_began_before_the_dependent_was_stored_still_lets_it_go() throws Exception {
        UUID first = fixture.create(tasks, LATER);
        int shard = Math.toIntExact(fixture.count("SELECT shard FROM scheduler.task WHERE id = '" + first + "'"));
        endless.add(first);
        run(first);
        fixture.awaitState(first, State.RUNNING);
        try (Connection holder = fixture.database.source(Role.OWNER).getConnection()) {
            holder.createStatement().execute("SET idle_in_transaction_session_timeout = 0");
            holder.setAutoCommit(false);
            holder.createStatement().execute("SELECT FROM scheduler.shard WHERE id = " + shard + " FOR UPDATE");
            fixture.fleet.finishAll();
            await().until(() -> fixture.count("""
                    SELECT count(*) FROM pg_stat_activity
                     WHERE wait_event_type = 'Lock' AND query LIKE '%AS started_ats%'
                    """) == 1);

            UUID second = after(first);
            assertThat(fixture.count("SELECT shard % 2 FROM scheduler.task WHERE id = '" + second + "'"))
                    .describedAs("another loop than the one that waits")
                    .isNotEqualTo(shard % 2);
            // Its owner has looked, and found the predecessor open.
            await().until(() -> fixture.count("SELECT count(*) FROM scheduler.inbox WHERE kind = 10") == 0);
            holder.rollback();

            fixture.awaitState(first, State.SUCCEEDED);
            fixture.awaitState(second, State.SUCCEEDED);
        }
    }

    @Test
    void over_two_cores_of_which_one_is_killed_each_dependent_runs_after_its_predecessor() {
        Dispatcher second = fixture.core();
        await().atMost(Duration.ofSeconds(20)).until(() -> second.shardsOwned() == 8);
        UUID root = fixture.create(tasks, LATER);
        List<UUID> middle = IntStream.range(0, 40).mapToObj(i -> after(root)).toList();
        UUID last = after(middle.subList(0, 32).toArray(UUID[]::new));
        run(root);
        fixture.awaitState(middle.getFirst(), State.SUCCEEDED);

        fixture.fleet.disconnect(second);
        second.abandon();

        await().atMost(Duration.ofSeconds(40))
                .untilAsserted(() -> assertThat(fixture.execution(last).state()).isEqualTo(State.SUCCEEDED));
        Instant began = fixture.fleet.runsOf(last).getFirst().at();
        assertThat(middle.subList(0, 32))
                .allSatisfy(id ->
                        assertThat(fixture.fleet.runsOf(id).getFirst().at()).isBefore(began));
        assertThat(fixture.count("SELECT count(*) FROM scheduler.history WHERE state <> 1"))
                .isZero();
    }

    @Test
    void a_schedule_comes_after_nothing() {
        var draft = DraftEdit.of(new Schedule.Interval(Duration.ofHours(1), null))
                .after(fixture.create(tasks, LATER))
                .done();

        assertThat(tasks.check(draft)).map(Refused::pointer).contains("/after");
        assertThat(tasks.create(Drafts.task(draft, dev.vigil.scheduler.task.Limits.NONE, 10)))
                .isInstanceOf(Refused.class);
    }

    private UUID after(UUID... predecessors) {
        return fixture.create(
                tasks, DraftEdit.of(Drafts.now()).after(predecessors).done());
    }

    private void run(UUID task) {
        tasks.trigger(new TaskRef(1, task), task, DependencyTest::event);
    }

    private Reason reason(UUID id) {
        return fixture.executions.explain(id).orElseThrow().reasons().getFirst();
    }

    private static String text(UUID execution) {
        return new Id(Kind.EXECUTION, execution).toString();
    }

    private static Events event(UUID id) {
        return Events.of(Drafts.event(id));
    }
}
