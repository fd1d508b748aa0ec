package dev.vigil.api.access;

import java.sql.Timestamp;
import java.time.Instant;
import java.util.Collection;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The table `access.revoked`: tokens and sign-ins that ended before their time. Rows go when the time itself is over.
final class Revocations {
    private final JdbcClient db;

    Revocations(JdbcClient db) {
        this.db = db;
    }

    /// Ends a token by its `jti`, all tokens of a sign-in by its id, or all that were got with a client's secret by
    /// [Secrets#mark], in the caller's transaction.
    void revoke(String id, Instant expiresAt) {
        db.sql("""
                        INSERT INTO access.revoked (id, expires_at)
                        VALUES (:id, :expires_at)
                            ON CONFLICT (id) DO NOTHING
                        """)
                .param("id", id)
                .param("expires_at", Timestamp.from(expiresAt))
                .update();
    }

    /// Whether any of these was ended.
    boolean isRevoked(Collection<String> ids) {
        return db.sql("""
                        SELECT EXISTS (SELECT FROM access.revoked WHERE id IN (:ids))
                        """).param("ids", ids).query(Boolean.class).single();
    }

    /// Deletes what no token could be shown for any more.
    void prune(Instant now) {
        db.sql("DELETE FROM access.revoked WHERE expires_at < :now")
                .param("now", Timestamp.from(now))
                .update();
    }
}
