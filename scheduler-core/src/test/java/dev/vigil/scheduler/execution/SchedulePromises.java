package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.ModelRows.Execution;
import dev.vigil.scheduler.execution.ModelRows.Schedule;
import dev.vigil.scheduler.execution.ScheduleRows.Occurrence;
import dev.vigil.scheduler.task.Lane;
import dev.vigil.scheduler.task.Misfire;
import dev.vigil.scheduler.task.Overlap;
import dev.vigil.scheduler.task.Schedule.Interval;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/// What schedules promise, counted apart from the code that decides: each occurrence is stored or skipped once, missed
/// ones are treated as the misfire policy says, and executions of a task run beside each other only by `allow`.
final class SchedulePromises {
    /// How old a core's reading of the database's clock may be, after a jump.
    private static final Duration CLOCK = Duration.ofSeconds(6);

    private final ModelDatabase database;
    /// Whether what was decided is committed at once.
    private final boolean punctual;
    private final List<String> broken = new ArrayList<>();

    /// @param punctual whether what is decided commits at once: otherwise it may be another time by then
    SchedulePromises(ModelDatabase database, boolean punctual) {
        this.database = database;
        this.punctual = punctual;
    }

    List<String> broken() {
        return broken;
    }

    private static Duration every(Schedule schedule) {
        return ((Interval) schedule.rules.schedule()).every();
    }

    /// The occurrences that follow one and have certainly passed.
    private long laterPassed(Schedule schedule, Instant at, Duration slack) {
        Duration since = Duration.between(at, database.clock().plus(slack));
        return Math.max(0, Math.floorDiv(since.toMillis(), every(schedule).toMillis()));
    }

    /// A schedule moves on, with these occurrences.
    ///
    /// @param open executions of it that are not over
    void advanced(Schedule schedule, List<Occurrence> occurrences, int open) {
        Misfire misfire = schedule.rules.misfire();
        List<Occurrence> runs =
                occurrences.stream().filter(one -> one.code() == null).toList();
        int most = misfire == Misfire.ALL ? schedule.rules.limit() : 1;
        if (runs.size() > most) {
            broken.add("schedule " + schedule.task.id() + " runs " + runs.size() + " missed occurrences, not " + most);
        }
        for (Occurrence run : runs) {
            if (punctual && laterPassed(schedule, run.at(), CLOCK.negated()) >= most) {
                broken.add("schedule " + schedule.task.id() + " runs " + run.at() + ", which was missed, at "
                        + database.clock());
            }
            if (punctual
                    && misfire == Misfire.NONE
                    && run.at().plus(FirePlan.GRACE).plus(CLOCK).isBefore(database.clock())) {
                broken.add("schedule " + schedule.task.id() + " runs " + run.at() + " too late");
            }
            if (schedule.rules.overlap() == Overlap.SKIP && open > 0) {
                broken.add("schedule " + schedule.task.id() + " runs " + run.at() + " beside another");
            }
        }
    }

    void skipped(Schedule schedule, Occurrence skip) {
        Misfire misfire = schedule.rules.misfire();
        boolean late = misfire == Misfire.NONE
                && skip.at().plus(FirePlan.GRACE).minus(CLOCK).isBefore(database.clock());
        int most = misfire == Misfire.ALL ? schedule.rules.limit() : 1;
        if (punctual && "misfire".equals(skip.code()) && !late && laterPassed(schedule, skip.at(), CLOCK) < most) {
            broken.add("schedule " + schedule.task.id() + " skips " + skip.at() + " at " + database.clock());
        }
        if ("overlap".equals(skip.code()) && schedule.rules.overlap() == Overlap.ALLOW) {
            broken.add("schedule " + schedule.task.id() + " skips " + skip.at() + " though executions may overlap");
        }
    }

    void oneAtATime(Schedule schedule, List<Execution> open) {
        long active = open.stream().filter(one -> Lane.isDispatchable(one.lane)).count();
        if (schedule.rules.overlap() != Overlap.ALLOW && active > 1) {
            broken.add("schedule " + schedule.task.id() + " has " + active + " executions beside each other");
        }
    }

    /// Each occurrence is there once, at the end.
    void check() {
        for (Schedule schedule : database.rows.schedules.values()) {
            Set<Instant> there = new HashSet<>();
            database.rows.history.values().stream()
                    .filter(one -> one.task().equals(schedule.task.id()))
                    .forEach(one -> once(schedule, there, one.scheduledFor()));
            database.rows.executions.values().stream()
                    .filter(one -> one.first.task().id().equals(schedule.task.id()))
                    .forEach(one -> once(schedule, there, one.first.scheduledFor()));
            UUID task = schedule.task.id();
            int missing = 0;
            for (Instant at = schedule.first; at.isBefore(schedule.nextAt); at = at.plus(every(schedule))) {
                missing += there.contains(at) || schedule.swallowed.contains(at) ? 0 : 1;
            }
            long passed = Duration.between(schedule.first, schedule.nextAt).dividedBy(every(schedule));
            if (missing > Math.max(0, passed - FirePlan.SKIPS_MAX)) {
                broken.add("schedule " + task + " lost " + missing + " occurrences of " + passed);
            }
        }
    }

    private void once(Schedule schedule, Set<Instant> there, Instant at) {
        if (!there.add(at)) {
            broken.add("schedule " + schedule.task.id() + " fired twice for " + at);
        }
    }
}
