package dev.vigil.scheduler.task;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// When a schedule fires.
public final class Fires {
    private Fires() {}

    /// The first fire strictly after an instant.
    ///
    /// @return empty when it never fires again; a one_time schedule is no calendar and has none
    public static Optional<Instant> next(Schedule schedule, Instant after) {
        return switch (schedule) {
            case Schedule.OneTime ignored -> Optional.empty();
            case Schedule.Interval interval -> Optional.of(nextStep(interval, after));
            case Schedule.Cron cron -> CronExpression.parse(cron.expression()).next(after, cron);
        };
    }

    /// The next fires strictly after an instant.
    ///
    /// @param count at most this many; fewer when it stops firing
    public static List<Instant> preview(Schedule schedule, Instant after, int count) {
        var fires = new ArrayList<Instant>();
        Instant last = after;
        while (fires.size() < count) {
            Optional<Instant> fire = next(schedule, last);
            if (fire.isEmpty()) {
                break;
            }
            last = fire.get();
            fires.add(last);
        }
        return fires;
    }

    private static Instant nextStep(Schedule.Interval interval, Instant after) {
        Instant anchor = interval.anchor();
        if (anchor == null) {
            throw new IllegalArgumentException("an interval without an anchor has no fires; anchor it at its creation");
        }
        if (after.isBefore(anchor)) {
            return anchor;
        }
        long every = interval.every().toMillis();
        long passed = Math.floorDiv(Duration.between(anchor, after).toMillis(), every);
        return anchor.plusMillis((passed + 1) * every);
    }
}
