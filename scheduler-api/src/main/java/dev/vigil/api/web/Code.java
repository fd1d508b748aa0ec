package dev.vigil.api.web;

import java.util.Locale;

/// Every code that an error answer may carry. Clients branch on it, so a code never changes its meaning.
public enum Code {
    MALFORMED_REQUEST(400, "malformed", "Unreadable request"),
    UNKNOWN_FIELD(400, "unknown-field", "Unknown field"),
    UNKNOWN_PARAMETER(400, "unknown-parameter", "Unknown query parameter"),
    BAD_CURSOR(400, "bad-cursor", "Unusable cursor"),
    BAD_SORT(400, "bad-sort", "Unusable sort"),
    UNAUTHENTICATED(401, "unauthenticated", "Sign in first"),
    INVALID_TOKEN(401, "invalid-token", "Token not accepted"),
    INVALID_CREDENTIALS(401, "invalid-credentials", "Credentials not accepted"),
    CERTIFICATE_REQUIRED(401, "certificate-required", "Client certificate required"),
    CERTIFICATE_REFUSED(401, "certificate-refused", "Client certificate not accepted"),
    JOIN_TOKEN_INVALID(401, "join-token", "Join token not accepted"),
    JOIN_TOKEN_EXPIRED(401, "join-token", "Join token ended"),
    ROLE_MISSING(403, "forbidden", "Not allowed"),
    SCOPE_MISSING(403, "forbidden", "Not allowed"),
    PERMISSION_DENIED(403, "forbidden", "Not allowed"),
    NOT_FOUND(404, "not-found", "Not found"),
    METHOD_NOT_ALLOWED(405, "method-not-allowed", "Method not allowed"),
    CONFLICT(409, "conflict", "State conflict"),
    ALREADY_EXISTS(409, "conflict", "Already exists"),
    IDEMPOTENCY_KEY_IN_USE(409, "idempotency-key", "Still running"),
    JOIN_TOKEN_USED(409, "join-token", "Join token used up"),
    GONE(410, "gone", "Gone for good"),
    VERSION_CONFLICT(412, "version-conflict", "Changed meanwhile"),
    TOO_LARGE(413, "too-large", "Too large"),
    UNSUPPORTED_MEDIA_TYPE(415, "unsupported-media-type", "Unsupported media type"),
    VALIDATION_FAILED(422, "validation", "Validation failed"),
    IDEMPOTENCY_KEY_REUSED(422, "idempotency-key", "Key of another request"),
    LOCKED(423, "locked", "Locked"),
    IF_MATCH_REQUIRED(428, "if-match-required", "If-Match required"),
    RATE_LIMITED(429, "rate-limited", "Too many requests"),
    QUOTA_EXCEEDED(429, "quota-exceeded", "Quota exceeded"),
    INTERNAL_ERROR(500, "internal", "Internal error"),
    AUDIT_UNAVAILABLE(503, "unavailable", "Temporarily unavailable"),
    DATABASE_UNAVAILABLE(503, "unavailable", "Temporarily unavailable"),
    SERVICE_UNAVAILABLE(503, "unavailable", "Temporarily unavailable");

    private final int status;
    private final String page;
    private final String title;
    private final String label = name().toLowerCase(Locale.ROOT);

    Code(int status, String page, String title) {
        this.status = status;
        this.page = page;
        this.title = title;
    }

    /// The HTTP status it comes with.
    public int status() {
        return status;
    }

    /// The name in JSON.
    public String label() {
        return label;
    }

    /// The problem type, a path on this server.
    public String type() {
        return "/problems/" + page;
    }

    /// The same words for every problem of this code.
    public String title() {
        return title;
    }
}
