package dev.vigil.api.task;

import dev.vigil.scheduler.task.Fires;
import dev.vigil.scheduler.task.Schedule;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.zone.ZoneRules;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The coming fires of a schedule, with a note where a change of the clock moves or doubles one.
final class Forecast {
    private static final String SHIFTED = "gap_shifted";

    private final Schedule schedule;
    private final ZoneId zone;

    /// @param schedule as it was asked for
    /// @param created  when the task is made: what an interval without an anchor, and "now", count from
    Forecast(Schedule schedule, Instant created) {
        this.schedule = switch (schedule) {
            case Schedule.OneTime(Instant at) -> new Schedule.OneTime(at == null ? created : at);
            case Schedule.Interval(Duration every, Instant anchor) ->
                new Schedule.Interval(every, anchor == null ? created : anchor);
            case Schedule.Cron cron -> cron;
        };
        this.zone = schedule instanceof Schedule.Cron cron ? cron.zone() : ZoneOffset.UTC;
    }

    /// The next fires.
    ///
    /// @param from fires strictly after it; may lie in the past
    Map<String, Object> fires(Instant from, int count) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("fires", next(from, count).stream().map(this::fire).toList());
        return answer;
    }

    /// The same with words around it.
    Map<String, Object> preview(Instant from, int count) {
        Map<String, Object> answer = fires(from, count);
        answer.put("description", description());
        answer.put("warnings", warnings(next(from, count)));
        return answer;
    }

    private List<Instant> next(Instant from, int count) {
        if (schedule instanceof Schedule.OneTime(Instant at)) {
            return at != null && at.isAfter(from) && count > 0 ? List.of(at) : List.of();
        }
        return count == 0 ? List.of() : Fires.preview(schedule, from, count);
    }

    private Map<String, @Nullable Object> fire(Instant at) {
        Map<String, @Nullable Object> fire = new LinkedHashMap<>();
        fire.put("at", at.toString());
        fire.put("local", OffsetDateTime.ofInstant(at, zone).toString());
        fire.put("note", note(at));
        return fire;
    }

    private @Nullable String note(Instant at) {
        if (!(schedule instanceof Schedule.Cron cron)) {
            return null;
        }
        ZoneRules rules = zone.getRules();
        LocalDateTime local = LocalDateTime.ofInstant(at, zone);
        List<ZoneOffset> offsets = rules.getValidOffsets(local);
        if (offsets.size() == 2) {
            return rules.getOffset(at).equals(offsets.getFirst()) ? "overlap_first" : "overlap_second";
        }
        return shifted(cron, at) ? SHIFTED : null;
    }

    /// Whether it fires then only because its own time does not exist on that day.
    private static boolean shifted(Schedule.Cron cron, Instant at) {
        var change = cron.zone().getRules().nextTransition(at.minusNanos(1));
        if (change == null || !change.isGap() || !change.getInstant().equals(at)) {
            return false;
        }
        var strict = new Schedule.Cron(cron.expression(), cron.zone(), Schedule.OnGap.SKIP, cron.onOverlap());
        return Fires.next(strict, at.minusSeconds(1)).filter(at::equals).isEmpty();
    }

    private String description() {
        return switch (schedule) {
            case Schedule.OneTime(Instant at) -> "once, at " + at;
            case Schedule.Interval(Duration every, Instant anchor) -> "every " + every + ", counted from " + anchor;
            case Schedule.Cron cron ->
                "at the times of '" + cron.expression() + "' on the clock of "
                        + cron.zone().getId();
        };
    }

    private List<String> warnings(List<Instant> fires) {
        var warnings = new ArrayList<String>();
        for (Instant at : fires) {
            String note = note(at);
            if (note != null) {
                String local = LocalDateTime.ofInstant(at, zone).toString();
                warnings.add(
                        note.equals(SHIFTED)
                                ? "The clock of " + zone.getId() + " jumps over the asked time; it fires at " + local
                                : "The clock of " + zone.getId() + " shows " + local + " twice; this is the "
                                        + (note.equals("overlap_first") ? "first" : "second") + " time");
            }
        }
        return warnings;
    }
}
