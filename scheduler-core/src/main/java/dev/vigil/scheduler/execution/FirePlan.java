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
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// What a schedule does at a moment: which occurrences run, which are skipped, and when it is looked at again.
///
/// @param runs  occurrences that run, oldest first
/// @param waits occurrences that run when earlier ones have ended, oldest first
/// @param skips occurrences that do not, oldest first; of many only the latest [#SKIPS_MAX]
/// @param next  the next occurrence; null when there is none
record FirePlan(
        List<Instant> runs,
        List<Instant> waits,
        List<Skip> skips,
        @Nullable Instant next) {
    /// How many skipped occurrences leave a row of their own.
    static final int SKIPS_MAX = 100;

    /// How many executions of a task wait for the one before; later ones are skipped.
    static final int WAITS_MAX = 100;

    /// A late occurrence is a missed one for `none` only after this.
    static final Duration GRACE = Duration.ofSeconds(60);

    /// An occurrence that does not run.
    record Skip(Instant at, String code) {}

    /// The rules of a schedule.
    ///
    /// @param limit of occurrences that `all` makes up for
    /// @param jitter over how long its occurrences are spread
    record Rules(Schedule schedule, Misfire misfire, int limit, Overlap overlap, Duration jitter) {}

    /// Executions of the task that are not over.
    ///
    /// @param open    all of them
    /// @param waiting those that wait for the one before
    record Standing(int open, int waiting) {}

    /// Decides.
    ///
    /// @param due  the occurrence that the schedule waits for
    /// @param now  the database's time
    /// @return empty when it is too early to say: an earlier execution is still open and may end before `due`
    static Optional<FirePlan> decide(Rules rules, Instant due, Instant now, Standing standing) {
        if (due.isAfter(now)) {
            boolean decidedWhenDue = rules.overlap == Overlap.SKIP || rules.overlap == Overlap.REPLACE;
            return decidedWhenDue && standing.open > 0
                    ? Optional.empty()
                    : Optional.of(plan(rules, List.of(due), 0, standing));
        }
        int wanted = rules.misfire == Misfire.ALL ? rules.limit : 1;
        List<Instant> passed = latest(rules.schedule, due, now, wanted + SKIPS_MAX);
        boolean tooLate =
                rules.misfire == Misfire.NONE && passed.getLast().plus(GRACE).isBefore(now);
        int runs = tooLate ? 0 : Math.min(wanted, passed.size());
        return Optional.of(plan(rules, passed, passed.size() - runs, standing));
    }

    /// @param missed how many of the first occurrences the misfire policy gives up
    private static FirePlan plan(Rules rules, List<Instant> occurrences, int missed, Standing standing) {
        var runs = new ArrayList<Instant>();
        var waits = new ArrayList<Instant>();
        var skips = new ArrayList<Skip>();
        occurrences.subList(0, missed).forEach(at -> skips.add(new Skip(at, "misfire")));
        for (Instant at : occurrences.subList(missed, occurrences.size())) {
            if (rules.overlap == Overlap.REPLACE && !at.equals(occurrences.getLast())) {
                skips.add(new Skip(at, "overlap"));
            } else if (rules.overlap == Overlap.ALLOW || standing.open + runs.size() == 0) {
                runs.add(at);
            } else if (rules.overlap == Overlap.SKIP) {
                skips.add(new Skip(at, "overlap"));
            } else if (rules.overlap == Overlap.QUEUE && standing.waiting + waits.size() >= WAITS_MAX) {
                skips.add(new Skip(at, "queue_full"));
            } else {
                waits.add(at);
            }
        }
        List<Skip> kept = List.copyOf(skips.subList(Math.max(0, skips.size() - SKIPS_MAX), skips.size()));
        Instant next = Fires.next(rules.schedule, occurrences.getLast()).orElse(null);
        return new FirePlan(List.copyOf(runs), List.copyOf(waits), kept, next);
    }

    /// When an occurrence may run: it is moved by up to the jitter, always by the same, and never as far as the next
    /// occurrence.
    ///
    /// @param id of the occurrence, whose bits are as good as random
    static Instant spread(Rules rules, UUID id, Instant at) {
        if (rules.jitter.isZero()) {
            return at;
        }
        Duration gap = Fires.next(rules.schedule, at)
                .map(next -> Duration.between(at, next))
                .orElse(rules.jitter);
        long span = Math.min(rules.jitter.toMillis(), gap.toMillis());
        return span < 1 ? at : at.plusMillis(Math.floorMod(id.getLeastSignificantBits(), span));
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
