package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.postgres.Role;
import dev.vigil.protocol.audit.EventBatch;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.Fleet.Reply;
import dev.vigil.scheduler.task.CommandResult;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.Misfire;
import dev.vigil.scheduler.task.Overlap;
import dev.vigil.scheduler.task.Priority;
import dev.vigil.scheduler.task.RetryPolicy;
import dev.vigil.scheduler.task.RetryPolicy.Backoff;
import dev.vigil.scheduler.task.Schedule;
import dev.vigil.scheduler.task.TaskDraft;
import dev.vigil.scheduler.task.TaskRef;
import dev.vigil.scheduler.task.TaskView;
import dev.vigil.scheduler.task.Tasks;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class DispatcherTest {
    private static final EngineFixture FIXTURE = new EngineFixture();
    private static Dispatcher core;
    private static Tasks tasks;

    @BeforeAll
    static void start() {
        core = FIXTURE.readyCore();
        tasks = FIXTURE.tasks();
        FIXTURE.fleet.join(64);
    }

    @AfterAll
    static void stop() {
        core.close();
        FIXTURE.close();
    }

    @AfterEach
    void behave() {
        FIXTURE.fleet.behave(dispatch -> Reply.succeed());
    }

    @Test
    void a_task_that_is_due_runs_once_and_its_end_is_stored() {
        UUID id = FIXTURE.create(tasks, Drafts.now());

        FIXTURE.awaitState(id, State.SUCCEEDED);

        assertThat(FIXTURE.fleet.runsOf(id)).hasSize(1);
        assertThat(FIXTURE.execution(id)).satisfies(view -> {
            assertThat(view.attempt()).isOne();
            assertThat(view.workerId()).isNotNull();
            assertThat(view.startedAt()).isNotNull();
            assertThat(view.finishedAt()).isNotNull();
            assertThat(view.duration()).isEqualTo(Duration.ofMillis(1));
            assertThat(FIXTURE.executions.sealedResult(view)).hasValue(new byte[] {1});
        });
        assertThat(tasks.get(id).orElseThrow().state()).isEqualTo(TaskView.State.FINISHED);
        assertThat(actions(id)).containsExactly("dispatch", "start", "execute");
    }

    @Test
    void a_delayed_task_never_starts_early() {
        Instant at = Instant.now().plusMillis(1500);

        UUID id = FIXTURE.create(tasks, new Schedule.OneTime(at));
        FIXTURE.awaitState(id, State.SUCCEEDED);

        assertThat(FIXTURE.fleet.runsOf(id).getFirst().at()).isBetween(at, at.plusSeconds(3));
    }

    @Test
    void a_thousand_tasks_run_once_each_and_history_has_them_all() {
        List<UUID> ids = IntStream.range(0, 1000)
                .mapToObj(i -> FIXTURE.create(tasks, Drafts.now()))
                .toList();

        ids.forEach(id -> FIXTURE.awaitState(id, State.SUCCEEDED));

        assertThat(FIXTURE.fleet.runs().stream()
                        .map(run -> run.dispatch().execution())
                        .filter(ids::contains))
                .hasSize(1000)
                .doesNotHaveDuplicates();
    }

    @Test
    void a_failure_is_tried_again_after_its_wait_until_attempts_are_used_up() {
        FIXTURE.fleet.behave(dispatch -> Reply.fail(true));

        UUID id = FIXTURE.create(tasks, retrying(3));
        FIXTURE.awaitState(id, State.FAILED);

        assertThat(FIXTURE.fleet.runsOf(id))
                .extracting(run -> run.dispatch().attempt())
                .containsExactly(1, 2, 3);
        assertThat(FIXTURE.fleet.runsOf(id))
                .extracting(run -> run.dispatch().fence())
                .isSorted();
        assertThat(FIXTURE.execution(id).attempt()).isEqualTo(3);
        assertThat(FIXTURE.execution(id).errorCode()).isEqualTo("broken");
    }

    @Test
    void a_failure_that_no_retry_can_help_ends_at_once() {
        FIXTURE.fleet.behave(dispatch -> Reply.fail(false));

        UUID id = FIXTURE.create(tasks, retrying(3));
        FIXTURE.awaitState(id, State.FAILED);

        assertThat(FIXTURE.fleet.runsOf(id)).hasSize(1);
    }

    @Test
    void a_second_attempt_may_succeed() {
        FIXTURE.fleet.behave(dispatch -> dispatch.attempt() == 1 ? Reply.fail(true) : Reply.succeed());

        UUID id = FIXTURE.create(tasks, retrying(3));
        FIXTURE.awaitState(id, State.SUCCEEDED);

        assertThat(FIXTURE.execution(id).attempt()).isEqualTo(2);
        assertThat(actions(id)).containsExactly("dispatch", "start", "execute", "dispatch", "start", "execute");
    }

    @Test
    void a_paused_task_does_not_run_until_it_is_resumed() {
        UUID id = FIXTURE.create(tasks, new Schedule.OneTime(Instant.now().plusMillis(1200)));
        var ref = new TaskRef(1, id);

        assertThat(tasks.pause(ref, event(id))).isEqualTo(new CommandResult.Accepted());
        await().until(() -> FIXTURE.count("SELECT count(*) FROM scheduler.execution WHERE lane < 0") == 1);
        await().during(Duration.ofMillis(1500))
                .atMost(Duration.ofSeconds(5))
                .until(() -> FIXTURE.fleet.runsOf(id).isEmpty());
        assertThat(FIXTURE.execution(id).state()).isEqualTo(State.HELD);

        tasks.resume(ref, event(id));
        FIXTURE.awaitState(id, State.SUCCEEDED);
    }

    @Test
    void a_queued_execution_is_cancelled_at_once() {
        UUID id = FIXTURE.create(tasks, new Schedule.OneTime(Instant.now().plusSeconds(3600)));
        ExecutionView queued = FIXTURE.execution(id);

        FIXTURE.executions.cancel(id, event(id));

        FIXTURE.awaitState(id, State.CANCELLED);
        assertThat(queued.state()).isEqualTo(State.QUEUED);
        assertThat(queued.startedAt()).as("what waits has not started").isNull();
        assertThat(FIXTURE.execution(id).startedAt()).isNull();
        assertThat(FIXTURE.fleet.runsOf(id)).isEmpty();
        assertThat(FIXTURE.count("SELECT count(*) FROM scheduler.inbox WHERE change_seq IS NOT NULL"))
                .isZero();
    }

    @Test
    void a_running_execution_is_told_to_stop() {
        FIXTURE.fleet.behave(dispatch -> Reply.forever());
        UUID id = FIXTURE.create(tasks, Drafts.now());
        FIXTURE.awaitState(id, State.RUNNING);

        FIXTURE.executions.cancel(id, event(id));

        FIXTURE.awaitState(id, State.CANCELLED);
    }

    @Test
    void a_deleted_task_goes_with_what_is_queued_and_what_runs() {
        FIXTURE.fleet.behave(dispatch -> Reply.forever());
        UUID running = FIXTURE.create(tasks, Drafts.now());
        UUID queued = FIXTURE.create(tasks, new Schedule.OneTime(Instant.now().plusSeconds(3600)));
        FIXTURE.awaitState(running, State.RUNNING);

        tasks.delete(new TaskRef(1, running), event(running));
        tasks.delete(new TaskRef(1, queued), event(queued));

        FIXTURE.awaitState(running, State.CANCELLED);
        FIXTURE.awaitState(queued, State.CANCELLED);
        await().until(() ->
                FIXTURE.count("SELECT count(*) FROM scheduler.task WHERE id IN ('%s', '%s')".formatted(running, queued))
                        == 0);
    }

    @Test
    void an_interval_fires_at_each_step_until_it_is_deleted() {
        UUID id = FIXTURE.create(tasks, new Schedule.Interval(Duration.ofSeconds(1), null));

        await().atMost(Duration.ofSeconds(10)).until(() -> runsOfTask(id).size() >= 3);
        List<Instant> fired = runsOfTask(id);
        tasks.delete(new TaskRef(1, id), event(id));

        assertThat(fired).doesNotHaveDuplicates();
        assertThat(Duration.between(fired.get(0), fired.get(1))).isEqualTo(Duration.ofSeconds(1));
        FIXTURE.fleet.runs().stream()
                .filter(run -> run.dispatch().task().equals(id))
                .forEach(run ->
                        assertThat(run.at()).isAfterOrEqualTo(run.dispatch().scheduledFor()));
        await().until(() -> FIXTURE.count("SELECT count(*) FROM scheduler.schedule WHERE task_id = '" + id + "'") == 0);
    }

    @Test
    void an_occurrence_is_skipped_while_the_one_before_is_open() {
        FIXTURE.fleet.behave(dispatch -> Reply.forever());
        UUID id = FIXTURE.create(tasks, new Schedule.Interval(Duration.ofSeconds(1), null));

        await().atMost(Duration.ofSeconds(10))
                .until(() -> FIXTURE.count("SELECT count(*) FROM scheduler.history WHERE state = 5 AND task_id = '" + id
                                + "' AND code = 'overlap'")
                        >= 2);

        assertThat(runsOfTask(id)).hasSize(1);
        tasks.delete(new TaskRef(1, id), event(id));
        await().until(() -> FIXTURE.count("SELECT count(*) FROM scheduler.task WHERE id = '" + id + "'") == 0);
    }

    @Test
    void a_paused_schedule_does_not_fire_and_makes_up_for_nothing() {
        UUID id = FIXTURE.create(tasks, new Schedule.Interval(Duration.ofSeconds(1), null));
        await().atMost(Duration.ofSeconds(10)).until(() -> !runsOfTask(id).isEmpty());

        tasks.pause(new TaskRef(1, id), event(id));
        await().until(() ->
                FIXTURE.count("SELECT count(*) FROM scheduler.schedule WHERE paused AND task_id = '" + id + "'") == 1);
        int before = runsOfTask(id).size();
        await().during(Duration.ofMillis(2500))
                .atMost(Duration.ofSeconds(6))
                .until(() -> runsOfTask(id).size() <= before + 1);
        tasks.resume(new TaskRef(1, id), event(id));
        await().atMost(Duration.ofSeconds(10)).until(() -> runsOfTask(id).size() > before + 2);

        assertThat(FIXTURE.count(
                        "SELECT count(*) FROM scheduler.history WHERE code = 'misfire' AND task_id = '" + id + "'"))
                .isZero();
        tasks.delete(new TaskRef(1, id), event(id));
    }

    private static List<Instant> runsOfTask(UUID task) {
        return FIXTURE.fleet.runs().stream()
                .filter(run -> run.dispatch().task().equals(task))
                .map(run -> run.dispatch().scheduledFor())
                .toList();
    }

    private static TaskDraft retrying(int attempts) {
        return new TaskDraft(
                "retrying",
                "demo.fail",
                Drafts.now(),
                Priority.MEDIUM,
                Duration.ofMinutes(1),
                new RetryPolicy(attempts, Backoff.EXPONENTIAL, Duration.ofMillis(50), Duration.ofSeconds(1)),
                Misfire.LATEST,
                TaskDraft.MISFIRE_LIMIT,
                Overlap.SKIP,
                Duration.ZERO,
                Map.of(),
                List.of());
    }

    private static Events event(UUID id) {
        return Events.of(Drafts.event(id));
    }

    private static List<String> actions(UUID execution) {
        String id = new dev.vigil.protocol.id.Id(dev.vigil.protocol.id.Kind.EXECUTION, execution).toString();
        return FIXTURE
                .database
                .as(Role.AUDIT)
                .sql("SELECT events FROM scheduler.outbox ORDER BY xid, id")
                .query(byte[].class)
                .list()
                .stream()
                .flatMap(row -> EventBatch.split(row).stream())
                .map(event -> new String(event, StandardCharsets.UTF_8))
                .filter(event -> event.contains(id))
                .map(event -> event.replaceAll(".*\"action\":\"(\\w+)\".*", "$1"))
                .toList();
    }
}
