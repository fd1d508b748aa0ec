package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.postgres.Role;
import dev.vigil.scheduler.execution.ExecutionLogs.Chunk;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.Fleet.Reply;
import dev.vigil.scheduler.execution.Link.Running;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.RetryPolicy;
import dev.vigil.scheduler.task.RetryPolicy.Backoff;
import dev.vigil.scheduler.task.TaskDraft;
import dev.vigil.scheduler.task.Tasks;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class JournalTest {
    private static final EngineFixture FIXTURE = new EngineFixture();
    private static Dispatcher core;
    private static Tasks tasks;
    private static ExecutionLogs logs;

    @BeforeAll
    static void start() {
        core = FIXTURE.readyCore();
        tasks = FIXTURE.tasks();
        logs = new ExecutionLogs(FIXTURE.database.as(Role.API));
        FIXTURE.fleet.behave(dispatch -> Reply.forever());
        FIXTURE.fleet.join(64);
    }

    @AfterAll
    static void stop() {
        core.close();
        FIXTURE.close();
    }

    private static Fleet.Run run(UUID id, int attempt) {
        await().atMost(Duration.ofSeconds(20))
                .until(() -> FIXTURE.fleet.runsOf(id).size() >= attempt);
        return FIXTURE.fleet.runsOf(id).get(attempt - 1);
    }

    private static Running running(Fleet.Run run) {
        return new Running(run.dispatch().execution(), run.dispatch().fence());
    }

    private static Saying lines(Running running, int first, int count) {
        return new Saying.Lines(running, first, count, new byte[] {(byte) first});
    }

    private static void end(Fleet.Run run, AttemptEnd.Outcome outcome) {
        String code = outcome == AttemptEnd.Outcome.FAILED ? "broken" : null;
        core.ended(
                run.worker(),
                List.of(new AttemptEnd(running(run), outcome, Duration.ofMillis(1), code, true, null, null, false)));
    }

    private static TaskDraft retried(RetryPolicy retry) {
        TaskDraft draft = Drafts.draft("t", Drafts.now());
        return new TaskDraft(
                draft.name(),
                draft.handler(),
                draft.schedule(),
                draft.priority(),
                draft.timeout(),
                retry,
                draft.misfire(),
                draft.misfireLimit(),
                draft.overlap(),
                draft.jitter(),
                draft.labels(),
                draft.after());
    }

    private static List<String> stored(UUID id) {
        return logs.after(id, 0, 100).stream()
                .map(chunk -> chunk.seq() + "+" + chunk.lines() + " of attempt " + chunk.attempt())
                .toList();
    }

    @Test
    void lines_are_numbered_over_all_attempts_and_stored_before_the_end_is_seen() {
        var once = new RetryPolicy(2, Backoff.EXPONENTIAL, Duration.ofMillis(50), Duration.ofSeconds(1));
        UUID id = FIXTURE.create(tasks, retried(once));
        Fleet.Run first = run(id, 1);
        core.said(first.worker(), List.of(lines(running(first), 1, 2), lines(running(first), 3, 1)));
        end(first, AttemptEnd.Outcome.FAILED);
        Fleet.Run second = run(id, 2);
        core.said(first.worker(), List.of(lines(running(first), 4, 1)));
        core.said(second.worker(), List.of(lines(running(second), 1, 1), lines(running(second), 5, 2)));
        end(second, AttemptEnd.Outcome.SUCCEEDED);

        FIXTURE.awaitState(id, State.SUCCEEDED);

        assertThat(stored(id))
                .as("in order, a stale fence left out, lost lines a gap")
                .containsExactly("1+2 of attempt 1", "3+1 of attempt 1", "4+1 of attempt 2", "8+2 of attempt 2");
        assertThat(logs.after(id, 3, 100)).extracting(Chunk::seq).containsExactly(4, 8);
        assertThat(logs.after(id, 8, 100))
                .extracting(Chunk::seq)
                .as("line 9 is in it")
                .containsExactly(8);
        assertThat(logs.after(id, 9, 100)).isEmpty();
        assertThat(logs.after(id, 0, 1)).hasSize(1);
    }

    @Test
    void nobody_else_and_nothing_after_the_end_adds_to_a_log() {
        UUID id = FIXTURE.create(tasks, Drafts.now());
        Fleet.Run run = run(id, 1);
        var stranger = new WorkerBoot(UUID.randomUUID(), UUID.randomUUID());
        var otherBoot = new WorkerBoot(run.worker().worker(), UUID.randomUUID());
        var future = new Running(id, run.dispatch().fence() + 1);
        core.said(stranger, List.of(lines(running(run), 1, 1)));
        core.said(otherBoot, List.of(lines(running(run), 1, 1)));
        core.said(run.worker(), List.of(lines(future, 1, 1)));
        core.said(run.worker(), List.of(lines(running(run), 1, 1), lines(running(run), 1, 1)));
        end(run, AttemptEnd.Outcome.SUCCEEDED);
        FIXTURE.awaitState(id, State.SUCCEEDED);
        core.said(run.worker(), List.of(lines(running(run), 2, 1)));

        UUID later = FIXTURE.create(tasks, Drafts.now());
        core.said(run(later, 1).worker(), List.of(lines(running(run(later, 1)), 1, 1)));
        await().untilAsserted(() -> assertThat(stored(later)).hasSize(1));

        assertThat(stored(id)).containsExactly("1+1 of attempt 1");
    }

    @Test
    void an_attempt_that_says_more_than_its_limit_is_cut_off_and_the_others_are_not() {
        UUID loud = FIXTURE.create(tasks, Drafts.now());
        UUID quiet = FIXTURE.create(tasks, Drafts.now());
        Fleet.Run flood = run(loud, 1);
        var piece = new byte[32 * 1024];
        core.said(
                flood.worker(),
                IntStream.rangeClosed(1, 100)
                        .mapToObj(line -> (Saying) new Saying.Lines(running(flood), line, 1, piece))
                        .toList());
        core.said(run(quiet, 1).worker(), List.of(lines(running(run(quiet, 1)), 1, 1)));

        await().untilAsserted(() -> assertThat(stored(quiet)).hasSize(1));

        assertThat(stored(loud)).hasSize(Journal.ATTEMPT_BYTES_MAX / piece.length);
    }

    @Test
    void the_newest_progress_is_kept_and_a_stale_one_is_not() {
        UUID id = FIXTURE.create(tasks, Drafts.now());
        Fleet.Run run = run(id, 1);
        core.said(run.worker(), List.of(new Saying.Progress(running(run), 100_000, null)));
        core.said(run.worker(), List.of(new Saying.Progress(running(run), 400_000, new byte[] {7})));

        await().untilAsserted(() -> assertThat(logs.progress(id)).hasValueSatisfying(progress -> {
            assertThat(progress.millionths()).isEqualTo(400_000);
            assertThat(progress.message()).containsExactly(7);
        }));
        core.said(
                run.worker(),
                List.of(new Saying.Progress(new Running(id, run.dispatch().fence() - 1), 900_000, null)));
        end(run, AttemptEnd.Outcome.SUCCEEDED);
        FIXTURE.awaitState(id, State.SUCCEEDED);
        assertThat(logs.progress(id).orElseThrow().millionths()).isEqualTo(400_000);
    }
}
