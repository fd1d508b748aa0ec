package dev.vigil.scheduler.history;

import java.time.Duration;

/// How much is forgiven.
///
/// @param overlap    how long two attempts of an execution may run at once, both awake, after a host stood still
/// @param start      how long after it is due, or allowed to run again, an execution may start, with nothing broken
/// @param recovery   how long after a fault is over nothing is promised about starts
/// @param clock      how long a core may believe what the database's clock was before it was changed
/// @param lossesMax  workers that an execution may cost
/// @param limitLag   how long a lowered limit may be exceeded by new starts
/// @param jitter     how much longer than its successor a wait between attempts may be, as a part of it
public record Bounds(
        Duration overlap,
        Duration start,
        Duration recovery,
        Duration clock,
        int lossesMax,
        Duration limitLag,
        double jitter) {

    /// What Vigil promises: the watchdog's slack, the priorities' ageing, the backlog drained 30 s after healing, a
    /// reading of the clock no older than a core's right to act, poison after three losses.
    public static final Bounds PROMISED = new Bounds(
            Duration.ofSeconds(3),
            Duration.ofSeconds(5),
            Duration.ofSeconds(30),
            Duration.ofSeconds(5),
            3,
            Duration.ofSeconds(2),
            0.1);

    /// The same with another bound of starts, for a run that has more to do than workers.
    public Bounds withStart(Duration longest) {
        return new Bounds(overlap, longest, recovery, clock, lossesMax, limitLag, jitter);
    }
}
