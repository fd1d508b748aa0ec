package dev.vigil.postgres;

import org.jspecify.annotations.Nullable;

/// The server could not be started; the message says why and what to do.
public final class PostgresStartException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    PostgresStartException(String message) {
        super(message);
    }

    PostgresStartException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
