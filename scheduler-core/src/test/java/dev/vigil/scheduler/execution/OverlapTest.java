package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.protocol.id.UuidV7;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.Fleet.Reply;
import dev.vigil.scheduler.task.DraftEdit;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.Misfire;
import dev.vigil.scheduler.task.Overlap;
import dev.vigil.scheduler.task.Patch;
import dev.vigil.scheduler.task.Schedule;
import dev.vigil.scheduler.task.TaskDraft;
import dev.vigil.scheduler.task.TaskRef;
import dev.vigil.scheduler.task.TaskView;
import dev.vigil.scheduler.task.Tasks;
import dev.vigil.scheduler.task.TriggerResult.Triggered;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Occurrences that meet others of their schedule, and those that an outage kept back.
class OverlapTest {
    private static final Schedule HOURLY = new Schedule.Interval(Duration.ofHours(1), null);

    private final EngineFixture fixture = new EngineFixture();
    private final Tasks tasks = fixture.tasks();
    private Dispatcher core = fixture.readyCore();

    @BeforeEach
    void join() {
        fixture.fleet.join(16);
        fixture.fleet.behave(dispatch -> Reply.forever());
    }

    @AfterEach
    void stop() {
        core.close();
        fixture.close();
    }

    @Test
    void queued_occurrences_run_one_after_the_other_in_their_order_and_a_successor_goes_on_with_them() {
        UUID id = fixture.create(
                tasks, DraftEdit.of(HOURLY).overlap(Overlap.QUEUE).done());
        UUID first = trigger(id);
        fixture.awaitState(first, State.RUNNING);
        UUID second = trigger(id);
        UUID third = trigger(id);
        fixture.awaitState(second, State.WAITING);
        fixture.awaitState(third, State.WAITING);

        core.close();
        core = fixture.readyCore();
        fixture.awaitState(first, State.RUNNING);
        fixture.executions.cancel(first, event(first));
        fixture.awaitState(second, State.RUNNING);
        assertThat(fixture.execution(third).state()).isEqualTo(State.WAITING);
        fixture.fleet.behave(dispatch -> Reply.succeed());
        fixture.executions.cancel(second, event(second));

        fixture.awaitState(third, State.SUCCEEDED);
    }

    @Test
    void a_replacement_runs_once_the_one_before_has_been_stopped() {
        UUID id = fixture.create(
                tasks, DraftEdit.of(HOURLY).overlap(Overlap.REPLACE).done());
        UUID first = trigger(id);
        fixture.awaitState(first, State.RUNNING);

        UUID second = trigger(id);

        fixture.awaitState(first, State.CANCELLED);
        assertThat(fixture.execution(first).errorCode()).isEqualTo("replaced");
        fixture.awaitState(second, State.RUNNING);
        Instant ended = fixture.execution(first).finishedAt();
        assertThat(fixture.execution(second).startedAt()).isAfterOrEqualTo(ended);
        tasks.delete(new TaskRef(1, id), event(id));
        fixture.awaitState(second, State.CANCELLED);
    }

    @Test
    void a_schedule_replaces_what_still_runs_at_each_of_its_times() {
        UUID id = fixture.create(
                tasks,
                DraftEdit.of(new Schedule.Interval(Duration.ofSeconds(1), null))
                        .overlap(Overlap.REPLACE)
                        .done());

        await().atMost(Duration.ofSeconds(15))
                .until(() ->
                        fixture.count("SELECT count(*) FROM scheduler.history WHERE state = 4 AND code = 'replaced'")
                                >= 3);

        assertThat(fixture.count("SELECT count(*) FROM scheduler.execution WHERE lane >= 0 AND due_at < now()"))
                .isLessThanOrEqualTo(1);
        tasks.delete(new TaskRef(1, id), event(id));
        await().until(() -> fixture.count("SELECT count(*) FROM scheduler.task") == 0);
    }

    @Test
    void a_patch_to_allow_lets_everything_go_that_waits() {
        UUID id = fixture.create(
                tasks, DraftEdit.of(HOURLY).overlap(Overlap.QUEUE).done());
        fixture.awaitState(trigger(id), State.RUNNING);
        UUID second = trigger(id);
        UUID third = trigger(id);
        fixture.awaitState(third, State.WAITING);
        TaskView view = tasks.get(id).orElseThrow();

        TaskDraft allowed = DraftEdit.of(view.draft()).overlap(Overlap.ALLOW).done();
        tasks.patch(view.ref(), new Patch(view.version(), allowed, null, event(id)));

        fixture.awaitState(second, State.RUNNING);
        fixture.awaitState(third, State.RUNNING);
    }

    @Test
    void after_an_outage_exactly_the_missed_occurrences_run_or_are_told_as_skipped() {
        core.close();
        fixture.fleet.behave(dispatch -> Reply.succeed());
        Instant anchor = Instant.now().truncatedTo(ChronoUnit.MINUTES).minus(Duration.ofMinutes(52));
        var schedule = new Schedule.Interval(Duration.ofMinutes(5), anchor);
        Tasks before = fixture.tasks(InstantSource.fixed(anchor.minusSeconds(1)));
        UUID all = before(before, schedule, Misfire.ALL, Overlap.ALLOW);
        UUID latest = before(before, schedule, Misfire.LATEST, Overlap.ALLOW);
        UUID none = before(before, schedule, Misfire.NONE, Overlap.ALLOW);
        UUID queue = before(before, schedule, Misfire.ALL, Overlap.QUEUE);
        List<Instant> missed = Stream.iterate(anchor, at -> at.plus(Duration.ofMinutes(5)))
                .takeWhile(at -> !at.isAfter(Instant.now().minusSeconds(70)))
                .toList();

        core = fixture.readyCore();
        List<UUID> every = List.of(all, latest, none, queue);
        every.forEach(task -> await().atMost(Duration.ofSeconds(20)).until(() -> ended(task) >= missed.size()));

        assertThat(told(all, 1)).isEqualTo(missed.subList(missed.size() - 3, missed.size()));
        assertThat(told(all, 5)).isEqualTo(missed.subList(0, missed.size() - 3));
        assertThat(told(queue, 1)).isEqualTo(told(all, 1));
        assertThat(told(latest, 1)).containsExactly(missed.getLast());
        assertThat(told(latest, 5)).isEqualTo(missed.subList(0, missed.size() - 1));
        assertThat(told(none, 1)).isEmpty();
        assertThat(told(none, 5)).isEqualTo(missed);
        assertThat(fixture.count("SELECT count(*) FROM scheduler.history WHERE state = 5 AND code <> 'misfire'"))
                .isZero();
    }

    private UUID before(Tasks earlier, Schedule schedule, Misfire misfire, Overlap overlap) {
        return fixture.create(
                earlier,
                DraftEdit.of(schedule).misfire(misfire, 3).overlap(overlap).done());
    }

    private long ended(UUID task) {
        return fixture.count("SELECT count(*) FROM scheduler.history WHERE task_id = '" + task + "'");
    }

    private List<Instant> told(UUID task, int state) {
        return fixture
                .database
                .superuser()
                .sql("SELECT scheduled_for FROM scheduler.history WHERE task_id = :task AND state = :state ORDER BY 1")
                .param("task", task)
                .param("state", state)
                .query(OffsetDateTime.class)
                .list()
                .stream()
                .map(OffsetDateTime::toInstant)
                .toList();
    }

    private UUID trigger(UUID task) {
        return ((Triggered) tasks.trigger(new TaskRef(1, task), UuidV7.next(), OverlapTest::event)).execution();
    }

    private static Events event(UUID id) {
        return Events.of(Drafts.event(id));
    }
}
