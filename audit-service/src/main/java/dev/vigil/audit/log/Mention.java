package dev.vigil.audit.log;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.UUID;

/// Something that events mention and are found by.
///
/// @param kind what sort of thing
/// @param key  which one
public record Mention(Kind kind, UUID key) {
    /// What every event mentions.
    public static final Mention EVERY = new Mention(Kind.EVERY, new UUID(0, 0));

    /// What sort of thing is mentioned.
    public enum Kind {
        EVERY(0),
        EVENT_TYPE(1),
        ACTION(2),
        RESULT(3),
        USER(4),
        TASK(5),
        EXECUTION(6),
        WORKER(7),
        SUBJECT(8),
        /// A task that runs once, and its execution: both have one id, so one row lists what mentions both.
        ONCE(9);

        private final int code;

        Kind(int code) {
            this.code = code;
        }

        /// Its number in the database, which never changes.
        int code() {
            return code;
        }
    }

    /// As what events that mention it are listed: as it is, and where the event mentions task and execution under one
    /// id, as both.
    List<Mention> forms() {
        return kind == Kind.TASK || kind == Kind.EXECUTION ? List.of(this, new Mention(Kind.ONCE, key)) : List.of(this);
    }

    /// A text that is mentioned. Its key are the first 128 bits of its SHA-256: enough for a directory, as nobody can
    /// make two texts of one key.
    public static Mention of(Kind kind, String text) {
        try {
            ByteBuffer hash =
                    ByteBuffer.wrap(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
            return new Mention(kind, new UUID(hash.getLong(), hash.getLong()));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is part of every JDK", e);
        }
    }
}
