package dev.vigil.api.access;

import dev.vigil.api.web.Code;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/// Slows down whoever guesses: only failures count, per account and address, from the fifth on, and a success forgets
/// them. Nobody can lock an account for its owner, who comes from another address.
final class FailureThrottle {
    private static final int FREE_FAILURES = 4;
    private static final int KEYS_MAX = 50_000;
    private static final long SECOND = 1_000_000_000L;
    private static final long WAIT_MAX = 300 * SECOND;
    private static final long FORGOTTEN_AFTER = 900 * SECOND;

    private final Map<String, Failures> failures = new ConcurrentHashMap<>();
    private final LongSupplier nanos;

    /// @param count in a row
    /// @param last  when the newest one was
    private record Failures(int count, long last) {
        long waitNanos() {
            // 1, 2, 4, … seconds after the fifth, sixth, seventh failure.
            int over = count - FREE_FAILURES;
            return over <= 0 ? 0 : Math.min(WAIT_MAX, SECOND << Math.min(over - 1, 20));
        }
    }

    FailureThrottle(LongSupplier nanos) {
        this.nanos = nanos;
    }

    /// Refuses an attempt that comes too early.
    ///
    /// @throws ProblemException 429
    void check(String account, String address) {
        Failures known = failures.get(key(account, address));
        if (known == null) {
            return;
        }
        long left = known.last + known.waitNanos() - nanos.getAsLong();
        if (left > 0) {
            long seconds = Math.ceilDiv(left, SECOND);
            throw new ProblemException(
                    Problem.of(Code.RATE_LIMITED, "Too many failed attempts for this account; wait " + seconds + " s.")
                            .header("Retry-After", Long.toString(seconds)));
        }
    }

    void failed(String account, String address) {
        long now = nanos.getAsLong();
        if (failures.size() > KEYS_MAX) {
            failures.values().removeIf(entry -> now - entry.last > FORGOTTEN_AFTER);
        }
        if (failures.size() > 2 * KEYS_MAX) {
            failures.clear();
        }
        failures.merge(
                key(account, address),
                new Failures(1, now),
                (old, one) -> now - old.last > FORGOTTEN_AFTER ? one : new Failures(old.count + 1, now));
    }

    void succeeded(String account, String address) {
        failures.remove(key(account, address));
    }

    private static String key(String account, String address) {
        return address + " " + account;
    }
}
