package dev.vigil.protocol.payload;

/// What a sealed record is for. It is part of the associated data, so a result can never pass for a payload.
public enum Purpose {
    PAYLOAD("payload"),
    RESULT("result"),
    ERROR_DETAIL("error_detail"),
    LOG("log"),
    PROGRESS("progress"),
    SUBJECT("subject"),
    SECRET("secret"),
    TOKEN("token"),
    FIELD("field");

    private final String label;

    Purpose(String label) {
        this.label = label;
    }

    String label() {
        return label;
    }
}
