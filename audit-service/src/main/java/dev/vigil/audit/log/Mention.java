package dev.vigil.audit.log;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
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
        SUBJECT(8);

        private final int code;

        Kind(int code) {
            this.code = code;
        }

        /// Its number in the database, which never changes.
        int code() {
            return code;
        }
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
