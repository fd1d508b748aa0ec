package dev.vigil.protocol.identity;

/// The CA said no, or what it sent cannot be used. Trying the same again does not help; the message says what does.
public final class IdentityException extends Exception {
    private static final long serialVersionUID = 1;

    private final String code;

    IdentityException(String code, String message) {
        super(message);
        this.code = code;
    }

    IdentityException(String code, String message, Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    /// The problem code of the API, such as `join_token_used`, or one of ours: `setup`, `answer`, `in_use`.
    public String code() {
        return code;
    }
}
