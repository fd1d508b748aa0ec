package dev.vigil.api.access;

import dev.vigil.api.web.Code;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.springframework.security.crypto.argon2.Argon2PasswordEncoder;

/// Password hashes: Argon2id with 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet). Only a few are
/// computed at once, so that a flood of sign-ins costs neither all memory nor all cores.
final class Passwords {
    /// Shortest password, in characters.
    static final int LENGTH_MIN = 12;

    private static final int WAIT_SECONDS = 5;

    private final Argon2PasswordEncoder encoder = new Argon2PasswordEncoder(16, 32, 1, 19_456, 2);
    private final Semaphore slots =
            new Semaphore(Math.max(2, Runtime.getRuntime().availableProcessors()), true);
    private final String nobody = encoder.encode("a password that nobody has");

    /// The text that is stored.
    String hash(String password) {
        return bounded(() -> encoder.encode(password));
    }

    /// Whether a password belongs to a stored text. Without one the same work is done for nothing, so that the time of
    /// the answer does not tell whether the account exists.
    boolean matches(String password, @Nullable String stored) {
        boolean right = bounded(() -> encoder.matches(password, stored == null ? nobody : stored));
        return stored != null && right;
    }

    private <T> T bounded(java.util.function.Supplier<T> work) {
        try {
            if (!slots.tryAcquire(WAIT_SECONDS, TimeUnit.SECONDS)) {
                throw new ProblemException(
                        Problem.of(Code.SERVICE_UNAVAILABLE, "Too many sign-ins at once; try again in a few seconds.")
                                .header("Retry-After", Integer.toString(WAIT_SECONDS)));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ProblemException(Code.SERVICE_UNAVAILABLE, "The server is stopping; try another node.");
        }
        try {
            return work.get();
        } finally {
            slots.release();
        }
    }
}
