package dev.vigil.edge;

import java.util.Locale;
import java.util.Optional;

/// Every code that an error answer may carry.
public enum Code {
    MALFORMED_REQUEST(400, "malformed", "Unreadable request"),
    UNKNOWN_FIELD(400, "unknown-field", "Unknown field"),
    UNKNOWN_PARAMETER(400, "unknown-parameter", "Unknown query parameter"),
    BAD_CURSOR(400, "bad-cursor", "Unusable cursor"),
    BAD_SORT(400, "bad-sort", "Unusable order"),
    UNAUTHENTICATED(401, "unauthenticated", "Sign in first"),
    INVALID_TOKEN(401, "invalid-token", "Token not accepted"),
    ROLE_MISSING(403, "forbidden", "Not allowed"),
    SCOPE_MISSING(403, "forbidden", "Not allowed"),
    PERMISSION_DENIED(403, "forbidden", "Not allowed"),
    NOT_FOUND(404, "not-found", "Not found"),
    METHOD_NOT_ALLOWED(405, "method-not-allowed", "Method not allowed"),
    CONFLICT(409, "conflict", "State conflict"),
    GONE(410, "gone", "Gone for good"),
    TOO_LARGE(413, "too-large", "Too large"),
    UNSUPPORTED_MEDIA_TYPE(415, "unsupported-media-type", "Unsupported media type"),
    VALIDATION_FAILED(422, "validation", "Validation failed"),
    INTERNAL_ERROR(500, "internal", "Internal error"),
    AUDIT_UNAVAILABLE(503, "unavailable", "Temporarily unavailable"),
    DATABASE_UNAVAILABLE(503, "unavailable", "Temporarily unavailable"),
    SERVICE_UNAVAILABLE(503, "unavailable", "Temporarily unavailable");

    private final int status;
    private final String page;
    private final String title;

    Code(int status, String page, String title) {
        this.status = status;
        this.page = page;
        this.title = title;
    }

    /// The code of that name in JSON.
    public static Optional<Code> of(String label) {
        for (Code code : values()) {
            if (code.label().equals(label)) {
                return Optional.of(code);
            }
        }
        return Optional.empty();
    }

    /// The HTTP status it comes with.
    public int status() {
        return status;
    }

    /// The name in JSON.
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    String type() {
        return "/problems/" + page;
    }

    String title() {
        return title;
    }
}
