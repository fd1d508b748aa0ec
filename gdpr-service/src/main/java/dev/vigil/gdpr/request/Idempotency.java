package dev.vigil.gdpr.request;

import dev.vigil.edge.Code;
import dev.vigil.edge.RefusedException;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The table `gdpr.idempotency`: what a POST with an `Idempotency-Key` was answered, for a day.
final class Idempotency {
    static final int KEY_LENGTH_MAX = 255;

    private final JdbcClient db;

    Idempotency(JdbcClient db) {
        this.db = db;
    }

    /// A key of one person for one body.
    record Key(UUID principal, String key, byte[] bodyHash) {
        static Key of(UUID principal, String key, byte[] body) {
            if (key.isBlank() || key.length() > KEY_LENGTH_MAX) {
                throw new RefusedException(
                        Code.MALFORMED_REQUEST,
                        "Idempotency-Key has more than " + KEY_LENGTH_MAX + " characters, or none.");
            }
            try {
                return new Key(
                        principal, key, MessageDigest.getInstance("SHA-256").digest(body));
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("SHA-256 is part of every JDK", e);
            }
        }
    }

    /// The answer that was given for the same key and body.
    ///
    /// @throws RefusedException 422 when the key came with another body
    Optional<byte[]> find(Key key) {
        record Row(byte[] bodyHash, byte[] answer) {}
        Optional<Row> row = db.sql("""
                        SELECT body_hash, answer
                          FROM gdpr.idempotency
                         WHERE principal = :principal AND key = :key AND at > clock_timestamp() - interval '1 day'
                        """)
                .param("principal", key.principal())
                .param("key", key.key())
                .query((found, _) -> new Row(found.getBytes(1), found.getBytes(2)))
                .optional();
        if (row.isPresent() && !MessageDigest.isEqual(row.get().bodyHash(), key.bodyHash())) {
            throw new RefusedException(
                    Code.VALIDATION_FAILED, "This Idempotency-Key came with another body before; use a new key.");
        }
        return row.map(Row::answer);
    }

    /// Keeps an answer, in the caller's transaction; false when another call with this key was first.
    boolean keep(Key key, byte[] answer) {
        db.sql("DELETE FROM gdpr.idempotency WHERE at <= clock_timestamp() - interval '1 day'")
                .update();
        return db.sql("""
                        INSERT INTO gdpr.idempotency (principal, key, body_hash, answer)
                        VALUES (:principal, :key, :hash, :answer)
                        ON CONFLICT DO NOTHING
                        """)
                        .param("principal", key.principal())
                        .param("key", key.key())
                        .param("hash", key.bodyHash())
                        .param("answer", answer)
                        .update()
                == 1;
    }
}
