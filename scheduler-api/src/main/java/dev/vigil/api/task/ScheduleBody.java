package dev.vigil.api.task;

import dev.vigil.api.web.Fields;
import dev.vigil.api.web.Nearest;
import dev.vigil.scheduler.task.CronExpression;
import dev.vigil.scheduler.task.Misfire;
import dev.vigil.scheduler.task.Overlap;
import dev.vigil.scheduler.task.Schedule;
import dev.vigil.scheduler.task.TaskDraft;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Optional;

/// The member `schedule` of a task.
///
/// @param schedule     when
/// @param misfire      what happens to missed occurrences
/// @param misfireLimit how many of them run at most
/// @param overlap      what happens while the previous one is open
/// @param jitter       over how long its fires are spread
record ScheduleBody(Schedule schedule, Misfire misfire, int misfireLimit, Overlap overlap, Duration jitter) {
    private static final ScheduleBody PLACEHOLDER = new ScheduleBody(
            new Schedule.OneTime(null), Misfire.LATEST, TaskDraft.MISFIRE_LIMIT, Overlap.SKIP, Duration.ZERO);
    private static final Duration AHEAD_MAX = Duration.ofDays(36_525);

    private enum Type {
        ONE_TIME,
        CRON,
        INTERVAL
    }

    /// Reads it; faults are noted in `fields`.
    static ScheduleBody read(Fields fields, Instant now) {
        Optional<Type> type = fields.oneOf("type", Type.class);
        if (type.isEmpty()) {
            // Which members belong here depends on the type, so nothing is said about the others.
            fields.knowAll();
            return fields.missing("type", PLACEHOLDER);
        }
        Schedule schedule = switch (type.get()) {
            case ONE_TIME -> oneTime(fields, now);
            case CRON -> cron(fields);
            case INTERVAL -> interval(fields);
        };
        Misfire misfire = fields.oneOf("misfire", Misfire.class).orElse(Misfire.LATEST);
        int limit = fields.integer("misfire_limit", 1, 1000).orElse(TaskDraft.MISFIRE_LIMIT);
        Overlap overlap = fields.oneOf("overlap", Overlap.class).orElse(Overlap.SKIP);
        Duration jitter = fields.duration("jitter").orElse(Duration.ZERO);
        if (jitter.isNegative() || jitter.compareTo(TaskDraft.JITTER_MAX) > 0) {
            fields.refuse("jitter", "range", "is outside the range", "use PT0S to P1D");
            jitter = Duration.ZERO;
        }
        return new ScheduleBody(schedule, misfire, limit, overlap, jitter);
    }

    private static Schedule oneTime(Fields fields, Instant now) {
        Optional<Instant> at = fields.instant("at");
        Optional<Duration> delay = fields.duration("delay");
        if (at.isPresent() && delay.isPresent()) {
            fields.refuse("delay", "both", "is given beside at", "give one of them, or none for now");
        }
        if (delay.isPresent() && (delay.get().isNegative() || delay.get().compareTo(AHEAD_MAX) > 0)) {
            fields.refuse("delay", "range", "is outside the range", "use PT0S to P36525D");
            return PLACEHOLDER.schedule;
        }
        return new Schedule.OneTime(delay.map(now::plus).or(() -> at).orElse(null));
    }

    private static Schedule cron(Fields fields) {
        String expression = fields.text("cron", 256);
        ZoneId zone = fields.optionalText("timezone", 64)
                .flatMap(name -> zone(fields, name))
                .orElse(ZoneId.of("UTC"));
        try {
            if (!expression.isEmpty()) {
                var _ = CronExpression.parse(expression);
            }
        } catch (IllegalArgumentException e) {
            fields.refuse(
                    "cron",
                    "cron",
                    String.valueOf(e.getMessage()),
                    "write minute hour day-of-month month day-of-week, with seconds in front if you need them");
        }
        return new Schedule.Cron(
                expression,
                zone,
                fields.oneOf("on_gap", Schedule.OnGap.class).orElse(Schedule.OnGap.SHIFT),
                fields.oneOf("on_overlap", Schedule.OnOverlap.class).orElse(Schedule.OnOverlap.FIRST));
    }

    private static Optional<ZoneId> zone(Fields fields, String name) {
        if (name.equals("UTC") || ZoneId.getAvailableZoneIds().contains(name)) {
            return Optional.of(ZoneId.of(name));
        }
        String hint = Nearest.of(name, ZoneId.getAvailableZoneIds())
                .map(nearest -> "did you mean " + nearest + "?")
                .orElse("use a name of the tz database such as Europe/Berlin");
        fields.refuse("timezone", "zone", "is not a time zone", hint);
        return Optional.empty();
    }

    private static Schedule interval(Fields fields) {
        Optional<Instant> anchor = fields.instant("anchor");
        Duration every = fields.duration("every").orElseGet(() -> fields.missing("every", Duration.ofSeconds(1)));
        if (every.compareTo(Duration.ofSeconds(1)) < 0 || every.compareTo(AHEAD_MAX) > 0) {
            fields.refuse("every", "range", "is outside the range", "use PT1S to P36525D");
            return PLACEHOLDER.schedule;
        }
        return new Schedule.Interval(every, anchor.orElse(null));
    }
}
