package dev.vigil.agent.sandbox;

/// This machine cannot hold a sandbox. The message says what is missing and how to get it.
final class SandboxUnavailableException extends Exception {
    private static final long serialVersionUID = 1;
    private final String sentence;

    SandboxUnavailableException(String message) {
        super(message);
        this.sentence = message;
    }

    SandboxUnavailableException(String message, Throwable cause) {
        super(message, cause);
        this.sentence = message;
    }

    /// The message.
    String sentence() {
        return sentence;
    }
}
