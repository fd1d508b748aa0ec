package dev.vigil.scheduler.task;

import dev.vigil.scheduler.task.CreateResult.Refused;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// What a draft may not ask for: the impossible, and what the engine does not do.
final class Refusals {
    /// How far ahead a one_time task, or the first step of an interval, may lie.
    private static final Duration AHEAD_MAX = Duration.ofDays(36525);

    private Refusals() {}

    /// Why a draft cannot be stored; empty when it can.
    static Optional<Refused> of(TaskDraft draft, Instant now) {
        if (!draft.jitter().isZero()) {
            Optional<Refused> jitter = jitter(draft);
            if (jitter.isPresent()) {
                return jitter;
            }
        }
        if (!draft.after().isEmpty() && !(draft.schedule() instanceof Schedule.OneTime)) {
            return Optional.of(new Refused(
                    "/after",
                    "one_time_only",
                    "a task that fires again and again comes after nothing",
                    "use a one_time schedule, or leave after out"));
        }
        return switch (draft.schedule()) {
            case Schedule.OneTime(Instant at)
            when at != null && at.isAfter(now.plus(AHEAD_MAX)) -> Optional.of(tooFar("/schedule/at", at));
            case Schedule.OneTime ignored -> Optional.empty();
            case Schedule.Interval(Duration ignored, Instant anchor)
            when anchor != null && anchor.isAfter(now.plus(AHEAD_MAX)) ->
                Optional.of(tooFar("/schedule/anchor", anchor));
            case Schedule.Interval ignored -> Optional.empty();
            case Schedule.Cron cron -> of(cron, now);
        };
    }

    private static Refused tooFar(String pointer, Instant at) {
        return new Refused(pointer, "too_far", at + " is more than 100 years ahead", "use an earlier time");
    }

    /// A fire that moves stays before the next one. How far the fires of a calendar lie apart differs, so theirs
    /// move no further than the next one each.
    private static Optional<Refused> jitter(TaskDraft draft) {
        return switch (draft.schedule()) {
            case Schedule.OneTime ignored ->
                Optional.of(new Refused(
                        "/schedule/jitter", "range", "a one_time task has one fire only", "use at for its time"));
            case Schedule.Interval interval
            when draft.jitter().compareTo(interval.every()) >= 0 ->
                Optional.of(new Refused(
                        "/schedule/jitter",
                        "range",
                        draft.jitter() + " is not below the interval",
                        "use less than " + interval.every()));
            case Schedule.Interval ignored -> Optional.empty();
            case Schedule.Cron ignored -> Optional.empty();
        };
    }

    private static Optional<Refused> of(Schedule.Cron cron, Instant now) {
        try {
            return Fires.next(cron, now).isPresent()
                    ? Optional.empty()
                    : Optional.of(new Refused(
                            "/schedule/cron",
                            "never_fires",
                            "'" + cron.expression() + "' never fires",
                            "use a day that one of the months has"));
        } catch (IllegalArgumentException unreadable) {
            return Optional.of(new Refused(
                    "/schedule/cron",
                    "unreadable",
                    String.valueOf(unreadable.getMessage()),
                    "use minute hour day-of-month month day-of-week, with seconds in front if you need them"));
        }
    }
}
