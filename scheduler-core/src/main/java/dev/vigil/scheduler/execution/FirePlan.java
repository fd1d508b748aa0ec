package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.task.Fires;
import dev.vigil.scheduler.task.Misfire;
import dev.vigil.scheduler.task.Overlap;
import dev.vigil.scheduler.task.Schedule;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What a schedule does at a moment: which occurrences run, which are skipped, and when it is looked at again.
///
/// @param runs  occurrences that run, oldest first
/// @param skips occurrences that do not, oldest first; of many only the latest [#SKIPS_MAX]
/// @param next  the next occurrence; null when there is none
record FirePlan(
        List<Instant> runs, List<Skip> skips, @Nullable Instant next) {
    /// How many skipped occurrences leave a row of their own.
    static final int SKIPS_MAX = 100;

    /// A late occurrence is a missed one for `none` only after this.
    static final Duration GRACE = Duration.ofSeconds(60);

    /// An occurrence that does not run.
    record Skip(Instant at, String code) {}

    /// The rules of a schedule.
    ///
    /// @param limit of occurrences that `all` makes up for
    record Rules(Schedule schedule, Misfire misfire, int limit, Overlap overlap) {}

    /// Decides.
    ///
    /// @param due  the occurrence that the schedule waits for
    /// @param now  the database's time
    /// @param open executions of the task that are not over
    /// @return empty when it is too early to say: an earlier execution is still open and may end before `due`
    static Optional<FirePlan> decide(Rules rules, Instant due, Instant now, int open) {
        if (due.isAfter(now)) {
            return rules.overlap == Overlap.SKIP && open > 0
                    ? Optional.empty()
                    : Optional.of(plan(rules, List.of(due), 0, open));
        }
        int wanted = rules.misfire == Misfire.ALL ? rules.limit : 1;
        List<Instant> passed = latest(rules.schedule, due, now, wanted + SKIPS_MAX);
        boolean tooLate =
                rules.misfire == Misfire.NONE && passed.getLast().plus(GRACE).isBefore(now);
        int runs = tooLate ? 0 : Math.min(wanted, passed.size());
        return Optional.of(plan(rules, passed, passed.size() - runs, open));
    }

    /// @param missed how many of the first occurrences the misfire policy gives up
    private static FirePlan plan(Rules rules, List<Instant> occurrences, int missed, int open) {
        var runs = new ArrayList<Instant>();
        var skips = new ArrayList<Skip>();
        occurrences.subList(0, missed).forEach(at -> skips.add(new Skip(at, "misfire")));
        for (Instant at : occurrences.subList(missed, occurrences.size())) {
            if (rules.overlap == Overlap.SKIP && open + runs.size() > 0) {
                skips.add(new Skip(at, "overlap"));
            } else {
                runs.add(at);
            }
        }
        List<Skip> kept = List.copyOf(skips.subList(Math.max(0, skips.size() - SKIPS_MAX), skips.size()));
        Instant next = Fires.next(rules.schedule, occurrences.getLast()).orElse(null);
        return new FirePlan(List.copyOf(runs), kept, next);
    }

    /// The last occurrences from `from` up to `to`, both included, oldest first. It looks back in growing
    /// steps, so that three days of missed seconds are not walked through one by one.
    private static List<Instant> latest(Schedule schedule, Instant from, Instant to, int count) {
        Duration window = Duration.ofMinutes(1);
        while (true) {
            Instant start = to.minus(window);
            boolean whole = start.isBefore(from);
            List<Instant> found = between(schedule, whole ? from : start, to);
            if (whole || found.size() >= count) {
                if (whole) {
                    found.addFirst(from);
                }
                return found.subList(Math.max(0, found.size() - count), found.size());
            }
            window = window.multipliedBy(4);
        }
    }

    private static List<Instant> between(Schedule schedule, Instant after, Instant to) {
        var found = new ArrayList<Instant>();
        Optional<Instant> next = Fires.next(schedule, after);
        while (next.isPresent() && !next.get().isAfter(to)) {
            found.add(next.get());
            next = Fires.next(schedule, next.get());
        }
        return found;
    }
}
