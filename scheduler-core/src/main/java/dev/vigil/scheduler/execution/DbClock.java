package dev.vigil.scheduler.execution;

import java.time.Duration;
import java.time.Instant;
import java.util.function.LongSupplier;

/// The database's clock as this process knows it, carried on by the monotonic clock. It is never ahead of the
/// database: an answer was true at the latest when it arrived.
///
/// For use by many threads at once.
final class DbClock {
    private final LongSupplier time;
    private volatile Reading last = new Reading(Instant.EPOCH, 0);

    /// @param time monotonic nanoseconds
    DbClock(LongSupplier time) {
        this.time = time;
    }

    /// The database said `at`; its answer arrived at `receivedAt`.
    void read(Instant at, long receivedAt) {
        last = new Reading(at, receivedAt);
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
