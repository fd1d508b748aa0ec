package dev.vigil.scheduler.history;

import dev.vigil.scheduler.history.Event.Accepted;
import dev.vigil.scheduler.history.Event.Acknowledged;
import dev.vigil.scheduler.history.Event.Again;
import dev.vigil.scheduler.history.Event.Dispatched;
import dev.vigil.scheduler.history.Event.Due;
import dev.vigil.scheduler.history.Event.Ended;
import dev.vigil.scheduler.history.Event.Expected;
import dev.vigil.scheduler.history.Event.Found;
import dev.vigil.scheduler.history.Event.Left;
import dev.vigil.scheduler.history.Event.Started;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Whether a history keeps the invariants. It knows nothing of how it came about, so a simulator's and one of real
/// processes are judged alike.
///
/// Linear or n log n in the length of the history but for matching, which is n log n for each task.
public final class HistoryCheck {
    private final Timeline history;
    private final Bounds bounds;
    private final List<Violation> violations = new ArrayList<>();

    private HistoryCheck(List<Event> events, Bounds bounds) {
        this.history = new Timeline(events);
        this.bounds = bounds;
    }

    /// All that is wrong with a history, whose events may come in any order.
    public static List<Violation> of(List<Event> history, Bounds bounds) {
        var check = new HistoryCheck(history, bounds);
        check.durability();
        check.occurrences();
        check.completions();
        check.fences();
        new Runs(check.history, bounds, check.violations).check();
        check.dueTimes();
        check.retries();
        check.idempotency();
        return List.copyOf(check.violations);
    }

    private void broken(Invariant invariant, String what) {
        violations.add(new Violation(invariant, what));
    }

    private void durability() {
        Set<UUID> known = new HashSet<>();
        history.all(Found.class).forEach(found -> known.add(found.task()));
        history.all(Ended.class).forEach(ended -> known.add(ended.task()));
        history.all(Left.class).forEach(left -> known.add(left.task()));
        for (Acknowledged one : history.all(Acknowledged.class)) {
            if (!known.contains(one.task())) {
                broken(
                        Invariant.I1_DURABILITY,
                        "task " + one.task() + " was acknowledged at " + one.at() + " and is nowhere");
            }
        }
    }

    /// Earliest deadline first: each start takes, of the windows that are open, the one that closes first.
    private void occurrences() {
        Map<UUID, UUID> taskOf = new HashMap<>();
        history.all(Dispatched.class).forEach(one -> taskOf.put(one.execution(), one.task()));
        history.all(Ended.class).forEach(one -> taskOf.put(one.execution(), one.task()));
        Map<UUID, Instant> first = new HashMap<>();
        history.all(Started.class).forEach(one -> first.merge(one.execution(), one.at(), HistoryCheck::earlier));
        Map<UUID, List<Instant>> starts = new HashMap<>();
        first.forEach((execution, at) -> {
            UUID task = taskOf.get(execution);
            if (task != null) {
                starts.computeIfAbsent(task, key -> new ArrayList<>()).add(at);
            }
        });
        Map<UUID, List<Expected>> expected = new HashMap<>();
        history.all(Expected.class)
                .forEach(one -> expected.computeIfAbsent(one.task(), key -> new ArrayList<>())
                        .add(one));
        expected.forEach((task, windows) -> match(task, windows, starts.getOrDefault(task, List.of())));
    }

    private void match(UUID task, List<Expected> windows, List<Instant> starts) {
        var coming = new ArrayList<>(windows);
        coming.sort(Comparator.comparing(Expected::at));
        var open = new PriorityQueue<>(Comparator.comparing(Expected::until));
        var unmatched = new ArrayList<Expected>();
        int next = 0;
        for (Instant start : starts.stream().sorted().toList()) {
            while (next < coming.size() && !coming.get(next).at().isAfter(start)) {
                open.add(coming.get(next));
                next++;
            }
            while (!open.isEmpty() && open.peek().until().isBefore(start)) {
                unmatched.add(open.remove());
            }
            open.poll();
        }
        unmatched.addAll(open);
        unmatched.addAll(coming.subList(next, coming.size()));
        unmatched.forEach(one -> broken(
                Invariant.I2_AT_LEAST_ONCE,
                "task " + task + " had to start between " + one.at() + " and " + one.until() + " and did not"));
    }

    private void completions() {
        Map<UUID, Ended> ends = new HashMap<>();
        Map<String, Ended> successes = new HashMap<>();
        for (Ended end : history.all(Ended.class)) {
            Ended before = ends.put(end.execution(), end);
            if (before != null) {
                broken(
                        Invariant.I3_SINGLE_COMPLETION,
                        "execution " + end.execution() + " ended twice: " + before + " and " + end);
            }
            if (end.state().equalsIgnoreCase("succeeded")) {
                Ended other = successes.put(end.task() + " " + end.scheduledFor(), end);
                if (other != null && !other.execution().equals(end.execution())) {
                    broken(
                            Invariant.I3_SINGLE_COMPLETION,
                            "task " + end.task() + " succeeded twice for " + end.scheduledFor());
                }
            }
        }
        for (Left left : history.all(Left.class)) {
            if (ends.containsKey(left.execution())) {
                broken(
                        Invariant.I3_SINGLE_COMPLETION,
                        "execution " + left.execution() + " has ended and is still open");
            }
        }
        Map<UUID, Long> newest = new HashMap<>();
        history.all(Dispatched.class).forEach(one -> newest.merge(one.execution(), one.fence(), Math::max));
        ends.values().forEach(end -> {
            Long issued = newest.get(end.execution());
            if (end.fence() != null && issued != null && !issued.equals(end.fence())) {
                broken(
                        Invariant.I3_SINGLE_COMPLETION,
                        "execution " + end.execution() + " was ended by fence " + end.fence() + ", the newest is "
                                + issued);
            }
        });
    }

    private void fences() {
        Map<UUID, Long> newest = new HashMap<>();
        for (Event event : history.inOrder()) {
            if (event instanceof Dispatched(Instant at, UUID _, UUID execution, long fence, int _, String _)) {
                Long before = newest.put(execution, fence);
                if (before != null && before >= fence) {
                    broken(
                            Invariant.I4_FENCING,
                            "execution " + execution + " got fence " + fence + " at " + at + " after " + before);
                }
            } else if (event instanceof Accepted(Instant at, UUID execution, long fence)
                    && fence < newest.getOrDefault(execution, Long.MIN_VALUE)) {
                broken(
                        Invariant.I4_FENCING,
                        "a result of execution " + execution + " under fence " + fence + " was accepted at " + at
                                + " though fence " + newest.get(execution) + " had been issued");
            }
        }
    }

    /// An execution that is tried again is due anew.
    private void dueTimes() {
        Map<UUID, Instant> due = new HashMap<>();
        for (Event event : history.inOrder()) {
            if (event instanceof Due one) {
                due.put(one.execution(), one.dueAt());
            } else if (event instanceof Started start) {
                Instant dueAt = due.get(start.execution());
                if (dueAt != null && latestReading(start.at()).isBefore(dueAt)) {
                    broken(
                            Invariant.I6_NO_EARLY_START,
                            "execution " + start.execution() + " started at " + start.at() + " and was due at "
                                    + dueAt);
                }
            }
        }
    }

    /// The latest that a core may have held to be the database's time.
    private Instant latestReading(Instant at) {
        Duration ahead = history.databaseAhead(at.minus(bounds.clock()));
        for (Event.DatabaseClock step : history.all(Event.DatabaseClock.class)) {
            if (step.at().isAfter(at.minus(bounds.clock()))
                    && !step.at().isAfter(at)
                    && step.ahead().compareTo(ahead) > 0) {
                ahead = step.ahead();
            }
        }
        return at.plus(ahead);
    }

    private void retries() {
        for (Ended end : history.all(Ended.class)) {
            if (end.attempts() > end.mostAttempts()) {
                broken(
                        Invariant.I7_RETRIES,
                        "execution " + end.execution() + " had " + end.attempts() + " attempts of "
                                + end.mostAttempts());
            }
            if (end.losses() > bounds.lossesMax()) {
                broken(Invariant.I7_RETRIES, "execution " + end.execution() + " cost " + end.losses() + " workers");
            }
        }
        Map<UUID, SortedMap<Integer, Again>> agains = new HashMap<>();
        history.all(Again.class)
                .forEach(one -> agains.computeIfAbsent(one.execution(), key -> new TreeMap<>())
                        .put(one.attempt(), one));
        Map<UUID, Map<Long, Integer>> attempts = new HashMap<>();
        history.all(Dispatched.class)
                .forEach(one -> attempts.computeIfAbsent(one.execution(), key -> new HashMap<>())
                        .put(one.fence(), one.attempt()));
        agains.forEach(this::waits);
        // A dispatch may commit before the time its frame leaves; what counts is when the attempt starts.
        for (Started start : history.all(Started.class)) {
            Integer attempt = attempts.getOrDefault(start.execution(), Map.of()).get(start.fence());
            SortedMap<Integer, Again> steps = agains.get(start.execution());
            Again before = attempt == null || steps == null ? null : steps.get(attempt - 1);
            if (before != null && latestReading(start.at()).isBefore(before.notBefore())) {
                broken(
                        Invariant.I7_RETRIES,
                        "attempt " + attempt + " of " + start.execution() + " started at " + start.at()
                                + ", not before " + before.notBefore());
            }
        }
    }

    private void waits(UUID execution, SortedMap<Integer, Again> steps) {
        Duration before = Duration.ZERO;
        for (Again step : steps.values()) {
            Duration wait = Duration.between(step.at().plus(history.databaseAhead(step.at())), step.notBefore());
            if (wait.toMillis() * (1 + bounds.jitter()) + 1 < before.toMillis()) {
                broken(
                        Invariant.I7_RETRIES,
                        "the wait of " + execution + " after attempt " + step.attempt() + " shrank from " + before
                                + " to " + wait);
            }
            before = wait;
        }
    }

    private void idempotency() {
        Map<String, UUID> tasks = new HashMap<>();
        history.all(Found.class).forEach(one -> once(tasks, one.key(), one.task()));
        history.all(Acknowledged.class).forEach(one -> once(tasks, one.key(), one.task()));
    }

    private void once(Map<String, UUID> tasks, @Nullable String key, UUID task) {
        UUID other = key == null ? null : tasks.putIfAbsent(key, task);
        if (other != null && !other.equals(task)) {
            broken(Invariant.I13_IDEMPOTENCY, "key " + key + " made the tasks " + other + " and " + task);
        }
    }

    private static Instant earlier(Instant a, Instant b) {
        return a.isBefore(b) ? a : b;
    }
}
