package dev.vigil.scheduler.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The checker finds what is wrong with a history, and nothing in one that is right.
class HistoryCheckTest {
    private static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");
    private static final UUID TASK = new UUID(1, 1);
    private static final UUID OTHER_TASK = new UUID(1, 2);
    private static final UUID EXECUTION = new UUID(2, 1);
    private static final UUID OTHER = new UUID(2, 2);

    @Test
    void a_history_without_faults_is_clean() {
        assertThat(HistoryCheck.of(clean(), Bounds.PROMISED)).isEmpty();
    }

    @Test
    void an_empty_history_is_clean() {
        assertThat(HistoryCheck.of(List.of(), Bounds.PROMISED)).isEmpty();
    }

    static Stream<Arguments> planted() {
        return Stream.concat(ofCompletions(), ofRuns());
    }

    private static Stream<Arguments> ofCompletions() {
        return Stream.of(
                violation(
                        Invariant.I1_DURABILITY,
                        "an acknowledged task that is nowhere",
                        history -> history.add(new Event.Acknowledged(at(0), "k-lost", new UUID(1, 9)))),
                violation(
                        Invariant.I2_AT_LEAST_ONCE,
                        "an occurrence without a start of its own",
                        history -> history.add(new Event.Expected(at(1), TASK, at(30)))),
                violation(
                        Invariant.I3_SINGLE_COMPLETION,
                        "an execution that ends twice",
                        history -> history.add(ended(at(40), EXECUTION, NOON, 12L))),
                violation(
                        Invariant.I3_SINGLE_COMPLETION,
                        "an occurrence that succeeds twice",
                        history -> history.add(ended(at(40), new UUID(2, 7), NOON, null))),
                violation(Invariant.I3_SINGLE_COMPLETION, "an end by another fence than the newest", history -> {
                    history.removeIf(event ->
                            event instanceof Event.Ended end && end.execution().equals(EXECUTION));
                    history.add(ended(at(20), EXECUTION, NOON, 11L));
                }),
                violation(
                        Invariant.I3_SINGLE_COMPLETION,
                        "an execution that has ended and is open",
                        history -> history.add(new Event.Left(at(90), TASK, EXECUTION))),
                violation(
                        Invariant.I4_FENCING,
                        "a result accepted under an older fence",
                        history -> history.add(new Event.Accepted(at(16), EXECUTION, 11))),
                violation(
                        Invariant.I4_FENCING,
                        "a fence that is issued twice",
                        history -> history.add(new Event.Dispatched(at(19), TASK, EXECUTION, 12, 2, "ann"))),
                violation(Invariant.I5_BOUNDED_OVERLAP, "two attempts at once while every host was awake", history -> {
                    history.removeIf(event -> event instanceof Event.Stopped stop && stop.fence() == 11);
                    history.add(new Event.Stopped(at(18), EXECUTION, 11));
                }),
                violation(Invariant.I5_BOUNDED_OVERLAP, "two attempts at once long after the pause", history -> {
                    history.removeIf(event -> event instanceof Event.Stopped stop && stop.fence() == 11);
                    history.add(new Event.Paused(at(2), "w1", at(15)));
                    history.add(new Event.Stopped(at(19), EXECUTION, 11));
                }));
    }

    private static Stream<Arguments> ofRuns() {
        return Stream.of(
                violation(
                        Invariant.I5_BOUNDED_OVERLAP,
                        "one dispatch that starts twice",
                        history -> history.add(new Event.Started(at(50), EXECUTION, 12, "w2"))),
                violation(
                        Invariant.I6_NO_EARLY_START,
                        "a start before the due time",
                        history -> history.add(new Event.Due(at(0), EXECUTION, at(2)))),
                violation(
                        Invariant.I7_RETRIES,
                        "more attempts than allowed",
                        history -> history.add(
                                new Event.Ended(at(40), TASK, new UUID(2, 8), at(60), "succeeded", null, 4, 3, 0))),
                violation(Invariant.I7_RETRIES, "an attempt before its wait is over", history -> {
                    history.removeIf(event -> event instanceof Event.Again);
                    history.add(new Event.Again(at(3), EXECUTION, 1, at(17)));
                }),
                violation(
                        Invariant.I7_RETRIES,
                        "a wait that shrinks",
                        history -> history.add(new Event.Again(at(20), EXECUTION, 2, at(25)))),
                violation(Invariant.I8_NO_STARVATION, "an execution that waits with nothing broken", history -> {
                    history.add(new Event.Due(at(0), new UUID(2, 5), at(0)));
                    history.add(new Event.Started(at(9), new UUID(2, 5), 5, "w1"));
                }),
                violation(
                        Invariant.I10_LIMITS,
                        "more running than allowed",
                        history -> history.add(new Event.Limit(at(-10), "ann", 1))),
                violation(
                        Invariant.I13_IDEMPOTENCY,
                        "a key with two tasks",
                        history -> history.add(new Event.Found(at(90), OTHER_TASK, "k1"))));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("planted")
    void a_planted_violation_is_found_and_nothing_else(Invariant invariant, String what, Consumer<List<Event>> plant) {
        List<Event> history = clean();
        plant.accept(history);

        assertThat(HistoryCheck.of(history, Bounds.PROMISED))
                .describedAs(what)
                .isNotEmpty()
                .extracting(Violation::invariant)
                .containsOnly(invariant);
    }

    @Test
    void each_invariant_has_a_planted_violation() {
        Set<Invariant> found = EnumSet.noneOf(Invariant.class);
        planted().forEach(arguments -> found.add((Invariant) arguments.get()[0]));

        assertThat(found).containsExactlyInAnyOrder(Invariant.values());
    }

    @Test
    void two_attempts_at_once_are_forgiven_while_the_host_of_one_stands_still_and_its_watchdogs_slack() {
        List<Event> history = clean();
        history.removeIf(event -> event instanceof Event.Stopped stop && stop.fence() == 11);
        history.add(new Event.Paused(at(2), "w1", at(17)));
        history.add(new Event.Stopped(at(19), EXECUTION, 11));

        assertThat(HistoryCheck.of(history, Bounds.PROMISED)).isEmpty();
    }

    @Test
    void nothing_is_promised_about_starts_during_a_fault_and_while_the_backlog_drains() {
        List<Event> history = clean();
        history.add(new Event.Due(at(0), OTHER, at(0)));
        history.add(new Event.Started(at(45), OTHER, 5, "w1"));
        assertThat(HistoryCheck.of(history, Bounds.PROMISED)).isNotEmpty();

        history.add(new Event.Fault(at(1), "database down", at(11)));

        assertThat(HistoryCheck.of(history, Bounds.PROMISED)).isEmpty();
    }

    @Test
    void due_times_and_waits_go_by_the_databases_clock() {
        List<Event> history = clean();
        history.add(new Event.DatabaseClock(at(-60), Duration.ofSeconds(10)));
        history.add(new Event.Due(at(0), EXECUTION, at(11)));

        assertThat(HistoryCheck.of(history, Bounds.PROMISED)).isEmpty();
    }

    @Test
    void a_limit_that_is_lowered_holds_for_what_starts_later() {
        List<Event> history = clean();
        history.add(new Event.Limit(at(14), "ann", 1));

        assertThat(HistoryCheck.of(history, Bounds.PROMISED)).isEmpty();
    }

    @Test
    void each_start_matches_one_occurrence_and_the_one_that_closes_first() {
        List<Event> history = clean();
        history.removeIf(event -> event instanceof Event.Expected);
        history.add(new Event.Expected(at(0), TASK, at(100)));
        history.add(new Event.Expected(at(0), TASK, at(2)));
        assertThat(HistoryCheck.of(history, Bounds.PROMISED)).hasSize(1);

        history.add(new Event.Dispatched(at(50), TASK, new UUID(2, 6), 14, 1, null));
        history.add(new Event.Started(at(50), new UUID(2, 6), 14, "w1"));

        assertThat(HistoryCheck.of(history, Bounds.PROMISED)).isEmpty();
    }

    /// A task whose first attempt fails and whose second succeeds, beside one that succeeds at once; at most two of
    /// Ann's run at a time.
    private static List<Event> clean() {
        return new ArrayList<>(List.of(
                new Event.Limit(at(-60), "ann", 2),
                new Event.Acknowledged(at(0), "k1", TASK),
                new Event.Acknowledged(at(0), "k1", TASK),
                new Event.Acknowledged(at(0), null, OTHER_TASK),
                new Event.Expected(at(0), TASK, at(5)),
                new Event.Due(at(0), EXECUTION, at(1)),
                new Event.Dispatched(at(1), TASK, EXECUTION, 11, 1, "ann"),
                new Event.Started(at(1), EXECUTION, 11, "w1"),
                new Event.Stopped(at(3), EXECUTION, 11),
                new Event.Accepted(at(3), EXECUTION, 11),
                new Event.Again(at(3), EXECUTION, 1, at(13)),
                new Event.Dispatched(at(14), OTHER_TASK, OTHER, 13, 1, "ann"),
                new Event.Started(at(14), OTHER, 13, "w2"),
                new Event.Dispatched(at(15), TASK, EXECUTION, 12, 2, "ann"),
                new Event.Started(at(15), EXECUTION, 12, "w2"),
                new Event.Stopped(at(20), EXECUTION, 12),
                new Event.Accepted(at(20), EXECUTION, 12),
                ended(at(20), EXECUTION, NOON, 12L),
                new Event.Refused(at(21), EXECUTION, 11),
                new Event.Stopped(at(22), OTHER, 13),
                new Event.Accepted(at(22), OTHER, 13),
                new Event.Ended(at(22), OTHER_TASK, OTHER, NOON, "succeeded", 13L, 1, 1, 0),
                new Event.Found(at(90), TASK, "k1")));
    }

    private static Event.Ended ended(Instant at, UUID execution, Instant scheduledFor, @Nullable Long fence) {
        return new Event.Ended(at, TASK, execution, scheduledFor, "succeeded", fence, 2, 3, 0);
    }

    private static Instant at(int second) {
        return NOON.plusSeconds(second);
    }

    private static Arguments violation(Invariant invariant, String what, Consumer<List<Event>> plant) {
        return Arguments.of(invariant, what, plant);
    }
}
