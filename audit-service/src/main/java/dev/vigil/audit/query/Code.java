package dev.vigil.audit.query;

import java.util.Locale;

/// Every code that an error answer of this service may carry; the same ones as the API's.
enum Code {
    MALFORMED_REQUEST(400, "malformed", "Unreadable request"),
    UNKNOWN_PARAMETER(400, "unknown-parameter", "Unknown query parameter"),
    BAD_CURSOR(400, "bad-cursor", "Unusable cursor"),
    BAD_SORT(400, "bad-sort", "Unusable sort"),
    UNAUTHENTICATED(401, "unauthenticated", "Sign in first"),
    INVALID_TOKEN(401, "invalid-token", "Token not accepted"),
    ROLE_MISSING(403, "forbidden", "Not allowed"),
    SCOPE_MISSING(403, "forbidden", "Not allowed"),
    NOT_FOUND(404, "not-found", "Not found"),
    METHOD_NOT_ALLOWED(405, "method-not-allowed", "Method not allowed"),
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

    int status() {
        return status;
    }

    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    String type() {
        return "/problems/" + page;
    }

    String title() {
        return title;
    }
}
