package dev.vigil.scheduler.task;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import org.jspecify.annotations.Nullable;

/// When a task runs.
public sealed interface Schedule {
    /// The name that `allowed_task_types` uses.
    String type();

    /// Once.
    ///
    /// @param at when; null means now, and a time in the past counts as now
    record OneTime(@Nullable Instant at) implements Schedule {
        @Override
        public String type() {
            return "one_time";
        }
    }

    /// On a calendar.
    ///
    /// @param expression 5 fields, or 6 with seconds first
    /// @param zone       whose wall clock it reads
    /// @param onGap      what a time that does not exist does
    /// @param onOverlap  what a time that exists twice does
    record Cron(String expression, ZoneId zone, OnGap onGap, OnOverlap onOverlap) implements Schedule {
        @Override
        public String type() {
            return "cron";
        }
    }

    /// Every so often.
    ///
    /// @param every  the step, at least one second
    /// @param anchor the instant that the steps are counted from; null means the task's creation
    record Interval(Duration every, @Nullable Instant anchor) implements Schedule {
        public Interval {
            if (every.compareTo(Duration.ofSeconds(1)) < 0) {
                throw new IllegalArgumentException("schedule.every is " + every + "; use at least PT1S");
            }
        }

        @Override
        public String type() {
            return "interval";
        }
    }

    /// What a local time that the clock jumps over does.
    enum OnGap implements Coded {
        SHIFT(0),
        SKIP(1);

        private final int code;

        OnGap(int code) {
            this.code = code;
        }

        @Override
        public int code() {
            return code;
        }
    }

    /// What a local time that the clock passes twice does.
    enum OnOverlap implements Coded {
        FIRST(0),
        LAST(1),
        BOTH(2);

        private final int code;

        OnOverlap(int code) {
            this.code = code;
        }

        @Override
        public int code() {
            return code;
        }
    }
}
