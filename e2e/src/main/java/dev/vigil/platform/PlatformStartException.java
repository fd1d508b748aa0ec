package dev.vigil.platform;

import org.jspecify.annotations.Nullable;

/// The platform could not be started; the message says why and what to do.
final class PlatformStartException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    PlatformStartException(String message) {
        super(message);
    }

    PlatformStartException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
