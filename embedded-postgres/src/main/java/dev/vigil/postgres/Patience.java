package dev.vigil.postgres;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/// Waiting for something outside of this process that sends no notice: short pauses up to a limit.
final class Patience {
    private static final long PAUSE_MILLIS = 10;

    private final long until;

    Patience(Duration limit) {
        this.until = System.nanoTime() + limit.toNanos();
    }

    /// Pauses for a moment.
    ///
    /// @return false when the limit is reached or the thread was interrupted
    boolean pause() {
        if (System.nanoTime() - until >= 0) {
            return false;
        }
        try {
            TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
            return true;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
