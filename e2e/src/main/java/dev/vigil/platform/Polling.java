package dev.vigil.platform;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// Looks again and again at what tells nobody when it changes: another process, seen over REST or by its files.
final class Polling {
    private static final long PAUSE_MILLIS = 50;

    private Polling() {}

    /// Looks until something is found, at least once.
    ///
    /// @param patience how long to go on; an interrupt ends it at once and stays set
    /// @return what was found, or nothing when patience ended
    static <T> Optional<T> until(Duration patience, Supplier<Optional<T>> look) {
        long start = System.nanoTime();
        while (true) {
            Optional<T> found = look.get();
            if (found.isPresent() || System.nanoTime() - start >= patience.toNanos()) {
                return found;
            }
            try {
                TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                return found;
            }
        }
    }
}
