package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.protocol.id.UuidV7;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.Fleet.Reply;
import dev.vigil.scheduler.task.CommandResult;
import dev.vigil.scheduler.task.CreateResult;
import dev.vigil.scheduler.task.CreateResult.Created;
import dev.vigil.scheduler.task.CreateResult.OverQuota;
import dev.vigil.scheduler.task.DraftEdit;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.Limits;
import dev.vigil.scheduler.task.NewTask;
import dev.vigil.scheduler.task.Overlap;
import dev.vigil.scheduler.task.Patch;
import dev.vigil.scheduler.task.PatchResult;
import dev.vigil.scheduler.task.Priority;
import dev.vigil.scheduler.task.RetryResult;
import dev.vigil.scheduler.task.Schedule;
import dev.vigil.scheduler.task.TaskDraft;
import dev.vigil.scheduler.task.TaskRef;
import dev.vigil.scheduler.task.TaskView;
import dev.vigil.scheduler.task.Tasks;
import dev.vigil.scheduler.task.TriggerResult;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// What is asked of tasks and executions after their creation.
class CommandTest {
    private static final EngineFixture FIXTURE = new EngineFixture();
    private static final Schedule HOURLY = new Schedule.Interval(Duration.ofHours(1), null);
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
    void a_patch_holds_for_what_has_not_been_dispatched() {
        UUID id = FIXTURE.create(tasks, new Schedule.OneTime(Instant.now().plusSeconds(3600)));
        var other = new TaskDraft.Sealed(new UUID(9, 9), 2, new byte[3000], null, null, List.of());
        TaskDraft draft = DraftEdit.of(Drafts.draft("renamed", Drafts.now()))
                .handler("demo.sleep")
                .priority(Priority.HIGH)
                .done();

        PatchResult patched = tasks.patch(ref(id), new Patch(1, draft, other, event(id)));

        assertThat(patched).isInstanceOfSatisfying(PatchResult.Patched.class, result -> {
            assertThat(result.task().version()).isEqualTo(2);
            assertThat(result.task().payloadVersion()).isEqualTo(2);
            assertThat(result.task().nextFireAt()).isBefore(Instant.now().plusSeconds(60));
        });
        FIXTURE.awaitState(id, State.SUCCEEDED);
        assertThat(FIXTURE.fleet.runsOf(id)).singleElement().satisfies(run -> {
            assertThat(run.dispatch().handler()).isEqualTo("demo.sleep");
            assertThat(run.dispatch().payloadVersion()).isEqualTo(2);
            assertThat(run.dispatch().keyId()).isEqualTo(new UUID(9, 9));
            assertThat(run.dispatch().payload()).hasSize(3000);
        });
        assertThat(tasks.get(id).orElseThrow().draft().name()).isEqualTo("renamed");
    }

    @Test
    void what_has_been_dispatched_keeps_its_version_in_its_next_attempts_too() {
        FIXTURE.fleet.behave(
                dispatch -> dispatch.attempt() == 1 ? Reply.failAfter(Duration.ofMillis(700)) : Reply.succeed());
        UUID id = FIXTURE.create(tasks, DraftEdit.of(Drafts.now()).attempts(2).done());
        FIXTURE.awaitState(id, State.RUNNING);
        var other = new TaskDraft.Sealed(new UUID(9, 9), 2, new byte[10], null, null, List.of());

        assertThat(tasks.patch(ref(id), new Patch(1, Drafts.draft("t", Drafts.now()), other, event(id))))
                .isInstanceOf(PatchResult.Patched.class);

        FIXTURE.awaitState(id, State.SUCCEEDED);
        assertThat(FIXTURE.fleet.runsOf(id))
                .extracting(run -> run.dispatch().payloadVersion())
                .containsExactly(1, 1);
        assertThat(FIXTURE.execution(id).payloadVersion()).isOne();
    }

    @Test
    void a_changed_schedule_fires_by_the_new_one_and_an_unchanged_one_stays_where_it_was() {
        UUID id = FIXTURE.create(tasks, HOURLY);
        TaskView before = tasks.get(id).orElseThrow();

        PatchResult renamed = patch(
                before, DraftEdit.of(before.draft()).priority(Priority.LOW).done());
        assertThat(renamed)
                .isInstanceOfSatisfying(
                        PatchResult.Patched.class,
                        result -> assertThat(result.task().nextFireAt()).isEqualTo(before.nextFireAt()));
        TaskView second = ((PatchResult.Patched) renamed).task();
        patch(
                second,
                DraftEdit.of(second.draft())
                        .schedule(new Schedule.Interval(Duration.ofSeconds(1), null))
                        .done());

        await().atMost(Duration.ofSeconds(10))
                .until(() -> FIXTURE.count(
                                "SELECT count(*) FROM scheduler.history WHERE version = 3 AND task_id = '" + id + "'")
                        >= 2);
        tasks.delete(ref(id), event(id));
        await().until(() -> FIXTURE.count("SELECT count(*) FROM scheduler.task WHERE id = '" + id + "'") == 0);
    }

    @Test
    void a_patch_from_an_older_version_or_of_a_finished_or_missing_task_changes_nothing() {
        UUID id = FIXTURE.create(tasks, HOURLY);
        TaskView before = tasks.get(id).orElseThrow();
        patch(before, DraftEdit.of(before.draft()).priority(Priority.LOW).done());

        assertThat(patch(before, before.draft())).isEqualTo(new PatchResult.Stale(2));
        assertThat(tasks.patch(ref(id), new Patch(2, Drafts.draft("t", Drafts.now()), null, event(id))))
                .isInstanceOf(PatchResult.Refused.class);
        assertThat(tasks.patch(ref(UuidV7.next()), new Patch(1, before.draft(), null, event(id))))
                .isEqualTo(new PatchResult.Absent());
        UUID once = FIXTURE.create(tasks, Drafts.now());
        FIXTURE.awaitState(once, State.SUCCEEDED);
        assertThat(tasks.patch(ref(once), new Patch(1, Drafts.draft("t", Drafts.now()), null, event(once))))
                .isEqualTo(new PatchResult.Finished());
        assertThat(FIXTURE.count("SELECT count(*) FROM scheduler.task WHERE id = '" + id + "'"))
                .isEqualTo(2);
        tasks.delete(ref(id), event(id));
    }

    @Test
    void a_triggered_schedule_runs_once_more_under_the_id_that_was_answered() {
        UUID id = FIXTURE.create(tasks, HOURLY);
        UUID wanted = UuidV7.next();

        assertThat(tasks.trigger(ref(id), wanted, CommandTest::event)).isEqualTo(new TriggerResult.Triggered(wanted));
        assertThat(FIXTURE.execution(wanted).taskId()).isEqualTo(id);
        FIXTURE.awaitState(wanted, State.SUCCEEDED);
        assertThat(tasks.trigger(ref(id), wanted, CommandTest::event)).isEqualTo(new TriggerResult.Triggered(wanted));

        assertThat(FIXTURE.fleet.runsOf(wanted)).hasSize(1);
        assertThat(FIXTURE.count("SELECT count(*) FROM scheduler.inbox WHERE kind = 8"))
                .isZero();
        tasks.delete(ref(id), event(id));
    }

    @Test
    void a_trigger_obeys_the_overlap_policy() {
        FIXTURE.fleet.behave(dispatch -> Reply.forever());
        UUID skips = FIXTURE.create(tasks, HOURLY);
        UUID allows = FIXTURE.create(
                tasks, DraftEdit.of(HOURLY).overlap(Overlap.ALLOW).done());

        UUID first = trigger(skips);
        FIXTURE.awaitState(first, State.RUNNING);
        UUID second = trigger(skips);
        FIXTURE.awaitState(second, State.SKIPPED);
        assertThat(FIXTURE.execution(second).errorCode()).isEqualTo("overlap");
        FIXTURE.awaitState(trigger(allows), State.RUNNING);
        FIXTURE.awaitState(trigger(allows), State.RUNNING);

        tasks.delete(ref(skips), event(skips));
        tasks.delete(ref(allows), event(allows));
        FIXTURE.awaitState(first, State.CANCELLED);
    }

    @Test
    void a_one_time_task_that_is_triggered_runs_now_and_only_once() {
        UUID id = FIXTURE.create(tasks, new Schedule.OneTime(Instant.now().plusSeconds(3600)));

        assertThat(trigger(id)).isEqualTo(id);
        FIXTURE.awaitState(id, State.SUCCEEDED);

        assertThat(tasks.trigger(ref(id), UuidV7.next(), CommandTest::event)).isEqualTo(new TriggerResult.Finished());
        assertThat(FIXTURE.fleet.runsOf(id)).hasSize(1);
    }

    @Test
    void a_paused_task_is_not_triggered() {
        UUID id = FIXTURE.create(tasks, HOURLY);
        tasks.pause(ref(id), event(id));

        assertThat(tasks.trigger(ref(id), UuidV7.next(), CommandTest::event)).isEqualTo(new TriggerResult.Paused());

        tasks.delete(ref(id), event(id));
        assertThat(tasks.trigger(ref(id), UuidV7.next(), CommandTest::event)).isEqualTo(new TriggerResult.Absent());
    }

    @Test
    void a_failed_execution_is_retried_with_a_higher_fence_and_the_next_attempt() {
        FIXTURE.fleet.behave(dispatch -> Reply.fail(false));
        UUID id = FIXTURE.create(tasks, Drafts.now());
        FIXTURE.awaitState(id, State.FAILED);
        FIXTURE.fleet.behave(dispatch -> Reply.succeed());

        assertThat(retry(id)).isEqualTo(new RetryResult.Retried());
        assertThat(retry(id)).isIn(new RetryResult.Open(), new RetryResult.NotRetryable());
        FIXTURE.awaitState(id, State.SUCCEEDED);

        assertThat(FIXTURE.fleet.runsOf(id))
                .extracting(run -> run.dispatch().attempt())
                .containsExactly(1, 2);
        assertThat(FIXTURE.fleet.runsOf(id))
                .extracting(run -> run.dispatch().fence())
                .isSorted();
        assertThat(FIXTURE.count("SELECT count(*) FROM scheduler.history WHERE id = '" + id + "'"))
                .isOne();
        assertThat(retry(id)).isEqualTo(new RetryResult.NotRetryable());
    }

    @Test
    void an_execution_of_a_schedule_is_retried_as_one_of_its_open_ones() {
        FIXTURE.fleet.behave(dispatch -> Reply.fail(false));
        UUID id = FIXTURE.create(tasks, HOURLY);
        UUID execution = trigger(id);
        FIXTURE.awaitState(execution, State.FAILED);
        FIXTURE.fleet.behave(dispatch -> Reply.forever());

        assertThat(retry(execution)).isEqualTo(new RetryResult.Retried());
        FIXTURE.awaitState(execution, State.RUNNING);
        tasks.delete(ref(id), event(id));

        FIXTURE.awaitState(execution, State.CANCELLED);
        await().until(() -> FIXTURE.count("SELECT count(*) FROM scheduler.task WHERE id = '" + id + "'") == 0);
        assertThat(retry(execution)).isEqualTo(new RetryResult.TaskGone());
        assertThat(retry(UuidV7.next())).isEqualTo(new RetryResult.Absent());
    }

    @Test
    void a_retried_one_time_task_needs_room_in_its_owners_limit() {
        FIXTURE.fleet.behave(dispatch -> Reply.fail(false));
        var owner = UuidV7.next();
        UUID first = limited(owner);
        FIXTURE.awaitState(first, State.FAILED);
        FIXTURE.fleet.behave(dispatch -> Reply.forever());
        UUID second = limited(owner);

        assertThat(FIXTURE.executions.retry(first, new Limits(1, null), event(first)))
                .isEqualTo(new RetryResult.OverQuota(1, 1));
        FIXTURE.executions.cancel(second, event(second));
        FIXTURE.awaitState(second, State.CANCELLED);
        assertThat(FIXTURE.executions.retry(first, new Limits(1, null), event(first)))
                .isEqualTo(new RetryResult.Retried());
        FIXTURE.awaitState(first, State.RUNNING);
        assertThat(FIXTURE.executions.retry(second, new Limits(1, null), event(second)))
                .isEqualTo(new RetryResult.OverQuota(1, 1));

        assertThat(FIXTURE.executions.cancel(first, event(first))).isEqualTo(new CommandResult.Accepted());
    }

    @Test
    void room_in_a_limit_comes_back_when_a_task_ends_or_is_deleted() {
        var owner = UuidV7.next();
        UUID ended = limited(owner);
        FIXTURE.awaitState(ended, State.SUCCEEDED);
        FIXTURE.fleet.behave(dispatch -> Reply.forever());

        UUID running = limited(owner);
        FIXTURE.awaitState(running, State.RUNNING);
        assertThat(create(owner, Drafts.now())).isEqualTo(new OverQuota(1, 1));
        tasks.delete(ref(running), event(running));
        FIXTURE.awaitState(running, State.CANCELLED);
        assertThat(create(owner, HOURLY)).isInstanceOfSatisfying(Created.class, hourly -> {
            assertThat(create(owner, Drafts.now())).isEqualTo(new OverQuota(1, 1));
            tasks.delete(ref(hourly.task().id()), event(hourly.task().id()));
        });

        await().atMost(Duration.ofSeconds(10))
                .until(() -> create(owner, new Schedule.OneTime(Instant.now().plusSeconds(3600))) instanceof Created);
    }

    private static CreateResult create(UUID owner, Schedule schedule) {
        NewTask task = Drafts.task(Drafts.draft("t", schedule), new Limits(1, null), 10);
        return tasks.create(
                new NewTask(task.id(), 1, owner, task.draft(), task.payload(), task.limits(), task.events()));
    }

    private static UUID limited(UUID owner) {
        return ((Created) create(owner, Drafts.now())).task().id();
    }

    private static PatchResult patch(TaskView before, TaskDraft draft) {
        return tasks.patch(before.ref(), new Patch(before.version(), draft, null, event(before.id())));
    }

    private static UUID trigger(UUID task) {
        return ((TriggerResult.Triggered) tasks.trigger(ref(task), UuidV7.next(), CommandTest::event)).execution();
    }

    private static RetryResult retry(UUID execution) {
        return FIXTURE.executions.retry(execution, Limits.NONE, event(execution));
    }

    private static TaskRef ref(UUID id) {
        return new TaskRef(1, id);
    }

    private static Events event(UUID id) {
        return Events.of(Drafts.event(id));
    }
}
