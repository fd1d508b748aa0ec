package dev.vigil.scheduler.task;

import java.time.Instant;
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
            case Schedule.Cron ignored -> Optional.empty();
        };
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
        long passed = Math.floorDiv(java.time.Duration.between(anchor, after).toMillis(), every);
        return anchor.plusMillis((passed + 1) * every);
    }
}
