package dev.vigil.agent.handler;

/// A `handler.yaml` that says something impossible. The message names the file, the field, its value and what is
/// possible.
public final class HandlerUnreadableException extends Exception {
    private static final long serialVersionUID = 1;

    HandlerUnreadableException(String message) {
        super(message);
    }

    HandlerUnreadableException(String message, Throwable cause) {
        super(message, cause);
    }
}
