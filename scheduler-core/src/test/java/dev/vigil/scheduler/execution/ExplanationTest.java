package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.postgres.Role;
import dev.vigil.protocol.id.UuidV7;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.Explanation.Reason;
import dev.vigil.scheduler.execution.Fleet.Reply;
import dev.vigil.scheduler.task.DraftEdit;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.NewTask;
import dev.vigil.scheduler.task.Overlap;
import dev.vigil.scheduler.task.RetryPolicy;
import dev.vigil.scheduler.task.Schedule;
import dev.vigil.scheduler.task.TaskRef;
import dev.vigil.scheduler.task.Tasks;
import dev.vigil.scheduler.task.TriggerResult.Triggered;
import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Why something does not run.
class ExplanationTest {
    private final EngineFixture fixture = new EngineFixture();
    private final Tasks tasks = fixture.tasks();
    private final Dispatcher core = fixture.readyCore();

    @AfterEach
    void stop() {
        core.close();
        fixture.close();
    }

    @Test
    void no_worker_no_room_running_and_ended_are_told_apart() {
        fixture.fleet.behave(dispatch -> Reply.forever());
        UUID first = fixture.create(tasks, Drafts.now());
        awaitReason(first, "no_worker");

        fixture.fleet.join(1);
        awaitReason(first, "running");
        UUID second = fixture.create(tasks, Drafts.now());
        awaitReason(second, "no_credit");
        fixture.executions.cancel(first, event(first));
        awaitReason(first, "ended");
        awaitReason(second, "running");

        await().until(() -> fixture.count("SELECT count(*) FROM scheduler.shortage") == 0);
        assertThat(fixture.executions.explain(UuidV7.next())).isEmpty();
    }

    @Test
    void times_pauses_retries_and_predecessors_are_named_with_their_facts() {
        fixture.fleet.behave(dispatch -> dispatch.handler().equals("demo.fail") ? Reply.fail(true) : Reply.forever());
        fixture.fleet.join(16);
        Instant at = Instant.parse("2090-01-01T00:00:00Z");
        UUID later = fixture.create(tasks, new Schedule.OneTime(at));
        UUID paused = fixture.create(tasks, new Schedule.OneTime(at));
        tasks.pause(new TaskRef(1, paused), event(paused));
        var slow = new RetryPolicy(2, RetryPolicy.Backoff.FIXED, Duration.ofHours(1), Duration.ofHours(1));
        UUID failing = fixture.create(
                tasks,
                DraftEdit.of(Drafts.now()).handler("demo.fail").retry(slow).done());
        UUID task = fixture.create(
                tasks,
                DraftEdit.of(new Schedule.Interval(Duration.ofHours(1), null))
                        .overlap(Overlap.QUEUE)
                        .done());
        UUID before = trigger(task);
        fixture.awaitState(before, State.RUNNING);

        assertThat(reasons(later)).containsExactly(new Reason("scheduled", "It is due at " + at + "."));
        awaitReason(paused, "paused");
        awaitReason(failing, "retry_at");
        assertThat(reasons(failing).getFirst().detail()).startsWith("Attempt 2 of 2 is due at ");
        awaitReason(trigger(task), "overlap");
    }

    @Test
    void a_shard_without_an_owner_is_the_reason() {
        core.close();

        UUID id = fixture.create(tasks, Drafts.now());

        assertThat(reasons(id)).extracting(Reason::code).containsExactly("owner_changing");
    }

    @Test
    void an_owner_that_is_not_heard_and_a_command_that_it_has_not_carried_out_are_reasons() {
        core.abandon();
        UUID id = fixture.create(tasks, Drafts.now());
        awaitReason(id, "owner_silent");

        tasks.trigger(new TaskRef(1, id), id, ExplanationTest::event);

        assertThat(reasons(id)).extracting(Reason::code).containsExactly("owner_silent", "command_pending");
    }

    @Test
    void those_before_it_in_line_are_counted_while_its_owner_is_at_work() throws Exception {
        fixture.fleet.join(4);
        try (Connection holder = fixture.database.source(Role.OWNER).getConnection()) {
            holder.createStatement().execute("SET idle_in_transaction_session_timeout = 0");
            holder.setAutoCommit(false);
            holder.createStatement().execute("SELECT FROM scheduler.shard FOR UPDATE");

            List<NewTask> two = List.of(Drafts.task(Drafts.now()), Drafts.task(Drafts.now()));
            tasks.createAll(two);

            assertThat(two.stream().flatMap(task -> reasons(task.id()).stream()))
                    .extracting(Reason::code)
                    .containsExactly("in_line", "in_line");
            assertThat(two.stream()
                            .map(task -> reasons(task.id()).getFirst().detail().substring(0, 2)))
                    .containsExactlyInAnyOrder("0 ", "1 ");
            holder.rollback();
        }
    }

    private UUID trigger(UUID task) {
        return ((Triggered) tasks.trigger(new TaskRef(1, task), UuidV7.next(), ExplanationTest::event)).execution();
    }

    private void awaitReason(UUID id, String code) {
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(reasons(id).getFirst().code()).isEqualTo(code));
    }

    private List<Reason> reasons(UUID id) {
        return fixture.executions.explain(id).orElseThrow().reasons();
    }

    private static Events event(UUID id) {
        return Events.of(Drafts.event(id));
    }
}
