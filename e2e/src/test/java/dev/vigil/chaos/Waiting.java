package dev.vigil.chaos;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/// Waits for what other processes do, and says how long it took.
final class Waiting {
    private static final Duration LOOK = Duration.ofMillis(50);

    private Waiting() {}

    /// Waits for a condition; what fails meanwhile (a database that is away) counts as not yet.
    ///
    /// @return seconds until it held
    /// @throws Broken when it did not hold in time
    static double until(String what, Duration most, Callable<Boolean> condition) {
        long start = System.nanoTime();
        try {
            Awaitility.await(what)
                    .pollDelay(Duration.ZERO)
                    .pollInterval(LOOK)
                    .atMost(most)
                    .ignoreExceptions()
                    .until(condition);
        } catch (ConditionTimeoutException late) {
            throw new Broken("not within " + most.toSeconds() + " s: " + what);
        }
        return since(start);
    }

    /// Lets a fault last.
    static void lasting(Duration time) throws InterruptedException {
        var never = new CountDownLatch(1);
        if (never.await(time.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new IllegalStateException("nobody counts down");
        }
    }

    /// Seconds since a reading of the monotonic clock.
    static double since(long nanos) {
        return (System.nanoTime() - nanos) / 1e9;
    }
}
