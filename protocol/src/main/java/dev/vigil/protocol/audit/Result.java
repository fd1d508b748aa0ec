package dev.vigil.protocol.audit;

import java.util.Locale;

/// How the recorded action ended.
public enum Result {
    SUCCESS(0),
    FAILURE(1),
    DENIED(2);

    private final int code;
    private final String label = name().toLowerCase(Locale.ROOT);

    Result(int code) {
        this.code = code;
    }

    /// Its number in a packed event, which never changes.
    int code() {
        return code;
    }

    /// The name in JSON.
    public String label() {
        return label;
    }
}
