package dev.vigil.scheduler.task;

import java.time.Instant;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The columns of `scheduler.task` that hold a [TaskDraft], as arrays for `unnest`.
final class DraftColumns {
    private DraftColumns() {}

    /// Adds all.
    static <T> void add(Columns<T> columns, Function<T, TaskDraft> draft) {
        policies(columns, draft);
        Function<T, Schedule> schedule = draft.andThen(TaskDraft::schedule);
        times(columns, schedule);
        columns.add("jitters", new Long[0], row -> draft.apply(row).jitter().toMillis());
        schedules(columns, schedule);
        crons(columns, row -> draft.apply(row).schedule() instanceof Schedule.Cron cron ? cron : null);
    }

    private static <T> void policies(Columns<T> columns, Function<T, TaskDraft> draft) {
        columns.add("names", new String[0], row -> draft.apply(row).name())
                .add("handlers", new String[0], row -> draft.apply(row).handler())
                .add(
                        "labels",
                        new String[0],
                        row -> TaskRow.json(draft.apply(row).labels()))
                .add(
                        "priorities",
                        new Integer[0],
                        row -> draft.apply(row).priority().code())
                .add("timeouts", new Integer[0], row ->
                        (int) draft.apply(row).timeout().toMillis())
                .add(
                        "misfires",
                        new Integer[0],
                        row -> draft.apply(row).misfire().code())
                .add("misfireLimits", new Integer[0], row -> draft.apply(row).misfireLimit())
                .add(
                        "overlaps",
                        new Integer[0],
                        row -> draft.apply(row).overlap().code());
        retries(columns, draft.andThen(TaskDraft::retry));
    }

    private static <T> void retries(Columns<T> columns, Function<T, RetryPolicy> retry) {
        columns.add("maxAttempts", new Integer[0], row -> retry.apply(row).maxAttempts())
                .add(
                        "backoffs",
                        new Integer[0],
                        row -> retry.apply(row).backoff().code())
                .add("retryInitials", new Integer[0], row ->
                        (int) retry.apply(row).initial().toMillis())
                .add("retryMaxes", new Integer[0], row ->
                        (int) retry.apply(row).max().toMillis());
    }

    private static <T> void schedules(Columns<T> columns, Function<T, Schedule> schedule) {
        columns.add("kinds", new Integer[0], row -> TaskRow.kind(schedule.apply(row)))
                .add(
                        "everies",
                        new Long[0],
                        row -> schedule.apply(row) instanceof Schedule.Interval interval
                                ? interval.every().toMillis()
                                : null)
                .add(
                        "anchors",
                        new Instant[0],
                        row -> schedule.apply(row) instanceof Schedule.Interval interval ? interval.anchor() : null);
    }

    private static <T> void times(Columns<T> columns, Function<T, Schedule> schedule) {
        columns.add(
                "ats", new Instant[0], row -> schedule.apply(row) instanceof Schedule.OneTime(Instant at) ? at : null);
    }

    private static <T> void crons(Columns<T> columns, Function<T, Schedule.@Nullable Cron> cron) {
        columns.add("crons", new String[0], of(cron, Schedule.Cron::expression))
                .add("zones", new String[0], of(cron, one -> one.zone().getId()))
                .add("onGaps", new Integer[0], of(cron, one -> one.onGap().code()))
                .add(
                        "onOverlaps",
                        new Integer[0],
                        of(cron, one -> one.onOverlap().code()));
    }

    private static <T, E> Function<T, @Nullable E> of(
            Function<T, Schedule.@Nullable Cron> cron, Function<Schedule.Cron, E> value) {
        return row -> {
            Schedule.Cron one = cron.apply(row);
            return one == null ? null : value.apply(one);
        };
    }

    static @Nullable String text(@Nullable Instant at) {
        return at == null ? null : at.toString();
    }
}
