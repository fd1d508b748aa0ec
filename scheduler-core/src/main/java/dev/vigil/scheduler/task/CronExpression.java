package dev.vigil.scheduler.task;

import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A cron expression: five fields (minute, hour, day of month, month, day of week) or six with seconds first,
/// names, lists, ranges, steps, `L W #`, and `@daily` and its like. Whose clock it reads and what a change of
/// that clock does is asked at each evaluation.
///
/// - In a **gap** a time that does not exist fires at the first instant after the gap, or not at all, as asked.
/// When the
///   hour field is `*` there is nothing to make up: the next hour ticks.
/// - In an **overlap** a time that exists twice fires at the first, the last or both, as asked. Where hour is
///   `*`, or minute or second is `*` or `*/n`, the expression means a tick and keeps ticking through both passes.
public final class CronExpression {
    private static final Map<String, String> MACROS = Map.of(
            "@YEARLY", "0 0 1 1 *",
            "@ANNUALLY", "0 0 1 1 *",
            "@MONTHLY", "0 0 1 * *",
            "@WEEKLY", "0 0 * * 0",
            "@DAILY", "0 0 * * *",
            "@MIDNIGHT", "0 0 * * *",
            "@HOURLY", "0 * * * *");
    private static final int LENGTH_MAX = 256;
    /// A fifth Friday of February comes every 28 years, and once every 40 across a year such as 2100.
    private static final int YEARS_AHEAD = 41;

    private final String text;
    private final CronField seconds;
    private final CronField minutes;
    private final CronField hours;
    private final CronField months;
    private final CronDays days;

    private CronExpression(String text, String[] fields) {
        this.text = text;
        int at = fields.length == 6 ? 1 : 0;
        seconds = CronField.parse(CronField.Kind.SECOND, at == 1 ? fields[0] : "0");
        minutes = CronField.parse(CronField.Kind.MINUTE, fields[at]);
        hours = CronField.parse(CronField.Kind.HOUR, fields[at + 1]);
        months = CronField.parse(CronField.Kind.MONTH, fields[at + 3]);
        days = new CronDays(fields[at + 2], fields[at + 4]);
    }

    /// Reads an expression.
    ///
    /// @throws IllegalArgumentException with a sentence about the first field that is wrong
    public static CronExpression parse(String text) {
        if (text.length() > LENGTH_MAX) {
            throw new IllegalArgumentException("cron has " + text.length() + " characters; use at most " + LENGTH_MAX);
        }
        String trimmed = text.strip();
        String[] fields =
                MACROS.getOrDefault(trimmed.toUpperCase(Locale.ROOT), trimmed).split("\\s+");
        if (fields.length != 5 && fields.length != 6) {
            throw new IllegalArgumentException("cron '" + trimmed + "' has " + fields.length
                    + " fields; use 5 (minute hour day-of-month month day-of-week), or 6 with seconds first");
        }
        return new CronExpression(trimmed, fields);
    }

    /// The first fire strictly after an instant.
    ///
    /// @param rules zone and clock-change rules; its own expression is not looked at
    /// @return empty when there is none within the next 41 years, that is, never
    public Optional<Instant> next(Instant after, Schedule.Cron rules) {
        ZoneRules zone = rules.zone().getRules();
        Instant from = Instant.ofEpochSecond(after.getEpochSecond() + 1);
        Instant limit = from.atOffset(ZoneOffset.UTC).plusYears(YEARS_AHEAD).toInstant();
        ZoneOffsetTransition passed = zone.nextTransition(after);
        if (passed != null && passed.getInstant().equals(from) && shiftsInto(passed, rules)) {
            return Optional.of(from);
        }
        // Between two changes of the clock local time runs evenly, so each stretch is searched on its own.
        while (from.isBefore(limit)) {
            ZoneOffset offset = zone.getOffset(from);
            ZoneOffsetTransition change = zone.nextTransition(from);
            Instant until = change == null || change.getInstant().isAfter(limit) ? limit : change.getInstant();
            Optional<Instant> fire = within(from, until, offset, rules);
            if (fire.isPresent()) {
                return fire;
            }
            if (change == null || until.equals(limit)) {
                return Optional.empty();
            }
            if (shiftsInto(change, rules)) {
                return Optional.of(until);
            }
            from = until;
        }
        return Optional.empty();
    }

    private Optional<Instant> within(Instant from, Instant until, ZoneOffset offset, Schedule.Cron rules) {
        LocalDateTime end = LocalDateTime.ofEpochSecond(until.getEpochSecond(), 0, offset);
        LocalDateTime at = LocalDateTime.ofEpochSecond(from.getEpochSecond(), 0, offset);
        LocalDateTime match = nextLocal(at, end);
        while (match != null && !wanted(match, offset, rules)) {
            match = nextLocal(match.plusSeconds(1), end);
        }
        return Optional.ofNullable(match).map(local -> local.toInstant(offset));
    }

    /// Whether a matching local time counts in this pass of the clock.
    private boolean wanted(LocalDateTime local, ZoneOffset offset, Schedule.Cron rules) {
        ZoneOffsetTransition change = rules.zone().getRules().getTransition(local);
        if (change == null || !change.isOverlap() || ticks()) {
            return true;
        }
        return switch (rules.onOverlap()) {
            case BOTH -> true;
            case FIRST -> offset.equals(change.getOffsetBefore());
            case LAST -> offset.equals(change.getOffsetAfter());
        };
    }

    private boolean ticks() {
        return hours.star() || minutes.step() || seconds.step();
    }

    /// Whether a gap swallowed a match that is made up for at its end.
    private boolean shiftsInto(ZoneOffsetTransition change, Schedule.Cron rules) {
        return change.isGap()
                && rules.onGap() == Schedule.OnGap.SHIFT
                && !hours.star()
                && nextLocal(change.getDateTimeBefore(), change.getDateTimeAfter()) != null;
    }

    /// The first matching local time from `from` on and before `until`.
    private @Nullable LocalDateTime nextLocal(LocalDateTime from, LocalDateTime until) {
        LocalDate day = from.toLocalDate();
        LocalTime time = from.toLocalTime();
        while (!day.isAfter(until.toLocalDate())) {
            if (!months.has(day.getMonthValue())) {
                day = day.plusMonths(1).withDayOfMonth(1);
                time = LocalTime.MIDNIGHT;
                continue;
            }
            LocalTime match = days.match(day) ? nextTime(time) : null;
            if (match != null) {
                LocalDateTime found = day.atTime(match);
                return found.isBefore(until) ? found : null;
            }
            day = day.plusDays(1);
            time = LocalTime.MIDNIGHT;
        }
        return null;
    }

    /// The first matching time of day from `from` on.
    private @Nullable LocalTime nextTime(LocalTime from) {
        int hour = hours.next(from.getHour());
        if (hour == from.getHour()) {
            int minute = minutes.next(from.getMinute());
            if (minute == from.getMinute()) {
                int second = seconds.next(from.getSecond());
                if (second >= 0) {
                    return LocalTime.of(hour, minute, second);
                }
                minute = minutes.next(from.getMinute() + 1);
            }
            if (minute >= 0) {
                return LocalTime.of(hour, minute, seconds.next(0));
            }
            hour = hours.next(from.getHour() + 1);
        }
        return hour < 0 ? null : LocalTime.of(hour, minutes.next(0), seconds.next(0));
    }

    /// The same clock, for a caller that has a zone and no rules of its own: shift in a gap, first in an overlap.
    public Optional<Instant> next(Instant after, ZoneId zone) {
        return next(after, new Schedule.Cron(text, zone, Schedule.OnGap.SHIFT, Schedule.OnOverlap.FIRST));
    }

    @Override
    public String toString() {
        return text;
    }
}
