package dev.vigil.scheduler.execution;

import java.time.Duration;

/// How long the engine keeps what is over. What is open, or what something open rests on, is kept in any case.
///
/// @param dispatches rows of the recovery log, which lists what is open again every ten minutes; at least a day
/// @param ended      ended executions with their results, finished tasks, and logs, of which a month is kept at most;
///                   at least a day. Whole months go at once, so up to a month more
public record Retention(Duration dispatches, Duration ended) {
    /// Three days of recovery log, 90 days of history.
    public static final Retention USUAL = new Retention(Duration.ofDays(3), Duration.ofDays(90));

    public Retention {
        check("keep-dispatches", dispatches);
        check("keep-ended", ended);
    }

    private static void check(String name, Duration kept) {
        if (kept.compareTo(Duration.ofDays(1)) < 0) {
            throw new IllegalArgumentException("vigil.core." + name + " is " + kept + "; use 1d or more");
        }
    }
}
