package dev.vigil.scheduler.history;

import dev.vigil.scheduler.history.Event.Accepted;
import dev.vigil.scheduler.history.Event.Dispatched;
import dev.vigil.scheduler.history.Event.Due;
import dev.vigil.scheduler.history.Event.Ended;
import dev.vigil.scheduler.history.Event.Fault;
import dev.vigil.scheduler.history.Event.Limit;
import dev.vigil.scheduler.history.Event.Paused;
import dev.vigil.scheduler.history.Event.Started;
import dev.vigil.scheduler.history.Event.Stopped;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/// What runs at the same time, and how long what is due waits for its turn.
final class Runs {
    private final Timeline history;
    private final Bounds bounds;
    private final List<Violation> violations;

    Runs(Timeline history, Bounds bounds, List<Violation> violations) {
        this.history = history;
        this.bounds = bounds;
        this.violations = violations;
    }

    private record Attempt(UUID execution, long fence) {}

    private record Run(Attempt attempt, String host, Instant from, Instant until) {}

    void check() {
        overlaps();
        waits();
        limits();
    }

    private void broken(Invariant invariant, String what) {
        violations.add(new Violation(invariant, what));
    }

    private void overlaps() {
        Map<Attempt, Instant> stops = new HashMap<>();
        for (Stopped stop : history.all(Stopped.class)) {
            stops.put(new Attempt(stop.execution(), stop.fence()), stop.at());
        }
        Map<UUID, List<Run>> runs = new HashMap<>();
        Set<Attempt> started = new HashSet<>();
        for (Started start : history.all(Started.class)) {
            var attempt = new Attempt(start.execution(), start.fence());
            if (!started.add(attempt)) {
                broken(
                        Invariant.I5_BOUNDED_OVERLAP,
                        "execution " + start.execution() + " started twice under fence " + start.fence());
            }
            var run = new Run(attempt, start.host(), start.at(), stops.getOrDefault(attempt, history.end()));
            runs.computeIfAbsent(start.execution(), key -> new ArrayList<>()).add(run);
        }
        for (List<Run> list : runs.values()) {
            for (int i = 0; i < list.size(); i++) {
                for (int j = i + 1; j < list.size(); j++) {
                    overlap(list.get(i), list.get(j));
                }
            }
        }
    }

    /// @param later started after `earlier`
    private void overlap(Run earlier, Run later) {
        Instant until = earlier.until.isBefore(later.until) ? earlier.until : later.until;
        if (!until.isAfter(later.from)) {
            return;
        }
        boolean paused = false;
        Instant awakeFrom = later.from;
        Duration together = Duration.ZERO;
        for (Paused pause : history.all(Paused.class)) {
            boolean concerns = pause.host().equals(earlier.host) || pause.host().equals(later.host);
            if (!concerns || !pause.until().isAfter(earlier.from) || !pause.at().isBefore(until)) {
                continue;
            }
            paused = true;
            if (pause.at().isAfter(awakeFrom)) {
                together = together.plus(Duration.between(awakeFrom, pause.at()));
            }
            awakeFrom = pause.until().isAfter(awakeFrom) ? pause.until() : awakeFrom;
        }
        if (until.isAfter(awakeFrom)) {
            together = together.plus(Duration.between(awakeFrom, until));
        }
        if (!paused || together.compareTo(bounds.overlap()) > 0) {
            broken(
                    Invariant.I5_BOUNDED_OVERLAP,
                    "execution " + later.attempt.execution + " ran twice at once for " + together + " from "
                            + later.from
                            + ": " + earlier + " and " + later
                            + (paused ? "" : ", and no host of them stood still"));
        }
    }

    private void waits() {
        Map<UUID, TreeSet<Instant>> reached = new HashMap<>();
        history.all(Started.class)
                .forEach(start -> reached.computeIfAbsent(start.execution(), key -> new TreeSet<>())
                        .add(start.at()));
        history.all(Ended.class)
                .forEach(end -> reached.computeIfAbsent(end.execution(), key -> new TreeSet<>())
                        .add(end.at()));
        history.all(Due.class).forEach(due -> {
            Instant start =
                    reached.getOrDefault(due.execution(), new TreeSet<>()).ceiling(due.at());
            waits(due, start == null ? history.end() : start);
        });
    }

    private void waits(Due due, Instant start) {
        Instant ready = due.dueAt().minus(history.databaseAhead(due.at()));
        ready = ready.isBefore(due.at()) ? due.at() : ready;
        for (Fault fault : history.all(Fault.class)) {
            Instant over = fault.until().plus(bounds.recovery());
            if (fault.at().isBefore(start) && over.isAfter(ready)) {
                ready = over;
            }
        }
        Duration waited = Duration.between(ready, start);
        if (waited.compareTo(bounds.start()) > 0) {
            broken(
                    Invariant.I8_NO_STARVATION,
                    "execution " + due.execution() + " could start at " + ready + " and waited " + waited);
        }
    }

    /// Who runs counts by his newest dispatch until its end is accepted or it is put back: what a host that stood still
    /// runs on with is a matter of overlap.
    private void limits() {
        Map<UUID, Attempt> newest = new HashMap<>();
        Map<UUID, String> owners = new HashMap<>();
        Map<String, Set<UUID>> running = new HashMap<>();
        Map<String, List<Limit>> limits = new HashMap<>();
        for (Event event : history.inOrder()) {
            switch (event) {
                case Limit limit ->
                    limits.computeIfAbsent(limit.owner(), key -> new ArrayList<>())
                            .add(limit);
                case Dispatched one
                when one.owner() != null -> {
                    newest.put(one.execution(), new Attempt(one.execution(), one.fence()));
                    owners.put(one.execution(), one.owner());
                }
                case Started one
                when new Attempt(one.execution(), one.fence()).equals(newest.get(one.execution())) -> {
                    String owner = owners.get(one.execution());
                    Set<UUID> his = running.computeIfAbsent(owner, key -> new HashSet<>());
                    his.add(one.execution());
                    int most = most(limits.getOrDefault(owner, List.of()), one.at());
                    if (his.size() > most) {
                        broken(
                                Invariant.I10_LIMITS,
                                his.size() + " of " + owner + " run at " + one.at() + ", allowed are " + most);
                    }
                }
                case Stopped one
                when new Attempt(one.execution(), one.fence()).equals(newest.get(one.execution())) ->
                    running.getOrDefault(owners.get(one.execution()), new HashSet<>())
                            .remove(one.execution());
                case Accepted one ->
                    running.getOrDefault(owners.get(one.execution()), new HashSet<>())
                            .remove(one.execution());
                case Due one ->
                    running.getOrDefault(owners.get(one.execution()), new HashSet<>())
                            .remove(one.execution());
                case Ended one ->
                    running.getOrDefault(owners.get(one.execution()), new HashSet<>())
                            .remove(one.execution());
                default -> {
                    // It says nothing of who runs.
                }
            }
        }
    }

    /// The highest limit in force at a time and a little before.
    private int most(List<Limit> limits, Instant at) {
        Instant from = at.minus(bounds.limitLag());
        int most = Integer.MAX_VALUE;
        for (Limit limit : limits.stream()
                .filter(limit -> !limit.at().isAfter(at))
                .sorted(Comparator.comparing(Limit::at))
                .toList()) {
            boolean inForceSince = !limit.at().isAfter(from);
            most = inForceSince || most == Integer.MAX_VALUE ? limit.most() : Math.max(most, limit.most());
        }
        return most;
    }
}
