package dev.vigil.platform;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// Looks again and again at what tells nobody when it changes: another process, seen over REST or by its files.
final class Polling {
    private static final long PAUSE_NANOS_MIN = 5_000_000;
    private static final long PAUSE_NANOS_MAX = 50_000_000;
    /// A pause is this part of the wait so far: what comes soon is found soon, and a long wait is not asked often.
    private static final int PAUSE_SHARE = 8;

    private Polling() {}

    /// Looks until something is found, at least once.
    ///
    /// @param patience how long to go on; an interrupt ends it at once and stays set
    /// @return what was found, or nothing when patience ended
    static <T> Optional<T> until(Duration patience, Supplier<Optional<T>> look) {
        long start = System.nanoTime();
        while (true) {
            Optional<T> found = look.get();
            long waited = System.nanoTime() - start;
            if (found.isPresent() || waited >= patience.toNanos()) {
                return found;
            }
            try {
                TimeUnit.NANOSECONDS.sleep(Math.clamp(waited / PAUSE_SHARE, PAUSE_NANOS_MIN, PAUSE_NANOS_MAX));
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                return found;
            }
        }
    }
}
