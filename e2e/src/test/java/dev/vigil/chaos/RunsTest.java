package dev.vigil.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.agent.handler.Attempt;
import dev.vigil.agent.handler.ExecutionRequest;
import dev.vigil.agent.handler.Handler;
import dev.vigil.agent.handler.Mask;
import dev.vigil.agent.handler.Outcome;
import dev.vigil.agent.handler.Ownership;
import dev.vigil.agent.handler.RunListener;
import dev.vigil.agent.handler.Runner;
import dev.vigil.agent.sandbox.SandboxReport;
import dev.vigil.scheduler.history.Bounds;
import dev.vigil.scheduler.history.Event;
import dev.vigil.scheduler.history.HistoryCheck;
import dev.vigil.scheduler.history.Invariant;
import dev.vigil.scheduler.history.Violation;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a worker writes down reaches the history checker, and a broken promise in it is found.
class RunsTest {
    private static final Instant START = Instant.parse("2026-11-22T12:00:00Z");
    private static final UUID TASK = new UUID(1, 1);
    private static final UUID EXECUTION = new UUID(2, 2);
    private static final Bounds BOUNDS = Bounds.PROMISED;

    @TempDir
    Path folder;

    private final AtomicLong time = new AtomicLong(Duration.ofHours(3).toNanos());
    private final Runs.Reading clock = new Runs.Reading(START, time.get());
    private final List<CompletableFuture<Outcome>> running = new ArrayList<>();

    /// Starts whatever it is given, and ends nothing by itself.
    private final class Starting implements Runner {
        @Override
        public Attempt run(ExecutionRequest request, RunListener listener) {
            var outcome = new CompletableFuture<Outcome>();
            listener.started(request.execution());
            running.add(outcome);
            return new Begun(request, outcome);
        }

        @Override
        public List<Attempt> running() {
            return List.of();
        }

        @Override
        public int slots() {
            return 1;
        }

        @Override
        public List<Handler> handlers() {
            return List.of();
        }

        @Override
        public SandboxReport sandbox() {
            throw new AssertionError("the recording asks its runner for what only an agent needs");
        }

        @Override
        public Ownership ownership() {
            throw new AssertionError("the recording asks its runner for what only an agent needs");
        }

        @Override
        public void drain() {
            // It takes what it is given.
        }

        @Override
        public void close() {
            // Nothing is left.
        }
    }

    private record Begun(ExecutionRequest request, CompletableFuture<Outcome> outcome) implements Attempt {
        @Override
        public void cancel(Duration grace) {
            throw new AssertionError("the recording cancels what nobody cancelled");
        }
    }

    private void start(String worker, long fence, int attempt) {
        var request = new ExecutionRequest(
                EXECUTION,
                1,
                fence,
                attempt,
                "demo.echo",
                new byte[0],
                Duration.ofMinutes(1),
                START,
                START,
                Map.of(),
                Mask.NONE);
        var log = StartLog.append(folder.resolve(worker));
        var _ = new WatchedRunner(new Starting(), log, time::get).run(request, RunListener.NONE);
    }

    private void end(int which) {
        running.get(which).complete(new Outcome.TimedOut(Duration.ZERO, true));
    }

    private void pass(Duration span) {
        time.addAndGet(span.toNanos());
    }

    private Runs runs(String worker, List<Long> deaths, List<Runs.Pause> pauses) throws IOException {
        return new Runs(worker, StartLog.read(folder.resolve(worker)), deaths, pauses, clock);
    }

    private Runs runs(String worker) throws IOException {
        return runs(worker, List.of(), List.of());
    }

    private List<Invariant> broken(List<Event> more, Runs... workers) {
        var history = new ArrayList<>(more);
        for (Runs worker : workers) {
            history.addAll(worker.events());
        }
        return HistoryCheck.of(history, BOUNDS).stream()
                .map(Violation::invariant)
                .toList();
    }

    private Instant now() {
        return clock.at(time.get());
    }

    @Test
    void two_workers_that_run_one_execution_at_once_are_found_and_one_after_the_other_is_not() throws IOException {
        start("a", 1, 1);
        pass(Duration.ofSeconds(1));
        end(0);
        start("b", 2, 1);
        pass(Duration.ofSeconds(1));
        assertThat(broken(List.of(), runs("a"), runs("b"))).isEmpty();

        start("a", 3, 1);
        pass(Duration.ofSeconds(1));
        end(1);
        end(2);

        assertThat(broken(List.of(), runs("a"), runs("b"))).containsExactly(Invariant.I5_BOUNDED_OVERLAP);
    }

    @Test
    void what_a_killed_worker_ran_ended_with_it() throws IOException {
        start("a", 1, 1);
        pass(Duration.ofSeconds(1));
        long killed = time.get();
        pass(Duration.ofSeconds(1));
        start("b", 2, 1);
        pass(Duration.ofSeconds(1));
        end(1);

        assertThat(broken(List.of(), runs("a", List.of(killed), List.of()), runs("b")))
                .isEmpty();
        assertThat(broken(List.of(), runs("a"), runs("b"))).containsExactly(Invariant.I5_BOUNDED_OVERLAP);
    }

    @Test
    void what_a_worker_ran_while_it_stood_still_is_forgiven_until_it_wakes() throws IOException {
        start("a", 1, 1);
        var pause =
                new Runs.Pause(time.get(), time.get() + Duration.ofSeconds(20).toNanos());
        pass(Duration.ofSeconds(17));
        start("b", 2, 1);
        pass(Duration.ofSeconds(4));
        end(0);
        pass(Duration.ofSeconds(5));
        end(1);
        assertThat(broken(List.of(), runs("a", List.of(), List.of(pause)), runs("b")))
                .isEmpty();
        assertThat(broken(List.of(), runs("a"), runs("b"))).containsExactly(Invariant.I5_BOUNDED_OVERLAP);
    }

    @Test
    void a_start_before_its_time_is_found() throws IOException {
        var due = new Event.Due(now(), EXECUTION, now().plusSeconds(2));
        pass(Duration.ofSeconds(1));
        start("a", 1, 1);
        end(0);

        assertThat(broken(List.of(due), runs("a"))).containsExactly(Invariant.I6_NO_EARLY_START);
    }

    @Test
    void an_occurrence_that_never_started_is_found_and_so_is_one_that_waited_with_nothing_broken() throws IOException {
        List<Event> told = List.of(
                new Event.Dispatched(now(), TASK, EXECUTION, 1, 1, null),
                new Event.Due(now(), EXECUTION, now()),
                new Event.Expected(now(), TASK, now().plusSeconds(60)));
        pass(Duration.ofSeconds(1));
        assertThat(broken(told)).containsExactly(Invariant.I2_AT_LEAST_ONCE);

        pass(BOUNDS.start());
        start("a", 1, 1);
        end(0);

        assertThat(broken(told, runs("a"))).containsExactly(Invariant.I8_NO_STARVATION);
        assertThat(broken(
                        List.of(told.get(0), told.get(1), told.get(2), new Event.Fault(START, "something", now())),
                        runs("a")))
                .isEmpty();
    }

    @Test
    void an_attempt_that_follows_too_soon_on_a_failure_is_found() throws IOException {
        start("a", 1, 1);
        end(0);
        List<Event> told = List.of(
                new Event.Dispatched(now(), TASK, EXECUTION, 1, 1, null),
                new Event.Again(now(), EXECUTION, 1, now().plus(Load.RETRY)),
                new Event.Dispatched(now().plusMillis(1), TASK, EXECUTION, 2, 2, null));
        pass(Load.RETRY.minusMillis(10));
        start("a", 2, 2);
        end(1);

        assertThat(broken(told, runs("a"))).containsExactly(Invariant.I7_RETRIES);
    }
}
