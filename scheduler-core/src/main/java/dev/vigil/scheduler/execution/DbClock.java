package dev.vigil.scheduler.execution;

import java.time.Duration;
import java.time.Instant;
import java.util.function.LongSupplier;

/// The database's clock as this process knows it, carried on by the monotonic clock. It is never ahead of the
/// database: an answer was true at the latest when it arrived. An answer that took long, as one does that had to be
/// committed, does not make it later than it was known to be, unless the database's clock was set back.
///
/// For use by many threads at once.
final class DbClock {
    /// From an answer that took longer nobody can tell whether the clock was set back.
    private static final Duration PRECISE = Duration.ofMillis(20);

    /// Nanoseconds in which two clocks that nobody sets may part by one: 200 in a million.
    private static final long DRIFT = 5_000;

    private final LongSupplier time;
    private volatile Reading last = new Reading(Instant.EPOCH, 0);

    /// @param time monotonic nanoseconds
    DbClock(LongSupplier time) {
        this.time = time;
    }

    /// The database said `at`, between two monotonic instants.
    synchronized void read(Instant at, long askedAt, long receivedAt) {
        long took = receivedAt - askedAt;
        long since = receivedAt - last.receivedAt;
        Instant known = last.at.plusNanos(since - Math.abs(since) / DRIFT);
        boolean keeps = took <= PRECISE.toNanos() && known.isAfter(at) && !known.isAfter(at.plusNanos(took));
        last = new Reading(keeps ? known : at, receivedAt);
    }

    /// The database's time at a monotonic instant.
    Instant at(long nanos) {
        Reading reading = last;
        return reading.at.plusNanos(nanos - reading.receivedAt);
    }

    Instant now() {
        return at(time.getAsLong());
    }

    /// How long until an instant; negative when it has passed.
    Duration until(Instant instant) {
        return Duration.between(now(), instant);
    }

    private record Reading(Instant at, long receivedAt) {}
}
