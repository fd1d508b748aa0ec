package dev.vigil.protocol.audit;

import java.util.Locale;

/// How the recorded action ended.
public enum Result {
    SUCCESS,
    FAILURE,
    DENIED;

    private final String label = name().toLowerCase(Locale.ROOT);

    /// The name in JSON.
    public String label() {
        return label;
    }
}
