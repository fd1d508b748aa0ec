package dev.vigil.protocol.id;

/// What an id names. The prefix is part of the public form, so an id of the wrong kind is recognised before any
/// look-up.
public enum Kind {
    TASK("tsk"),
    EXECUTION("exe"),
    WORKER("wrk"),
    USER("usr"),
    API_KEY("key"),
    SECRET("sec"),
    SUBJECT("sub"),
    LOCK("lck"),
    AUDIT_EVENT("aud"),
    JOIN_TOKEN("jtk"),
    SUBJECT_REQUEST("dsr"),
    WEBHOOK("whk"),
    OPERATION("op"),
    REQUEST("req");

    private final String prefix;

    Kind(String prefix) {
        this.prefix = prefix;
    }

    /// The letters before the underscore.
    public String prefix() {
        return prefix;
    }
}
