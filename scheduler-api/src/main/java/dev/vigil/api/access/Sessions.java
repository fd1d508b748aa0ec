package dev.vigil.api.access;

import dev.vigil.api.web.Outbox;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;

/// The tables `access.refresh_family` and `access.refresh_token`: sign-ins and what keeps them going. A refresh token
/// works once; using an old one shows that two parties hold it, and ends the family with all its access tokens.
final class Sessions {
    private final JdbcClient db;
    private final TransactionTemplate transaction;
    private final Tools tools;
    private final Duration life;

    /// What a sign-in needs besides its tables.
    record Tools(Outbox outbox, Revocations revocations, Revisions revisions, InstantSource time) {}

    Sessions(JdbcClient db, TransactionTemplate transaction, Tools tools, AccessSettings settings) {
        this.db = db;
        this.transaction = transaction;
        this.tools = tools;
        this.life = settings.sessionLife();
    }

    /// A sign-in that just began or went on.
    ///
    /// @param id           the family
    /// @param principal    who signed in
    /// @param refreshToken works once
    record Session(UUID id, UUID principal, String refreshToken) {
        @Override
        public String toString() {
            return id.toString();
        }
    }

    /// Begins a sign-in.
    ///
    /// @param event its audit event, written with it
    Session begin(UUID principal, AuditEvent event) {
        Instant now = tools.time.instant();
        var session = new Session(UUID.randomUUID(), principal, Secrets.next());
        transaction.executeWithoutResult(_ -> {
            prune(now);
            db.sql("""
                            INSERT INTO access.refresh_family (id, principal, created_at, expires_at)
                            VALUES (:id, :principal, :now, :expires_at)
                            """)
                    .param("id", session.id)
                    .param("principal", principal)
                    .param("now", Timestamp.from(now))
                    .param("expires_at", Timestamp.from(now.plus(life)))
                    .update();
            addToken(session, now);
            tools.outbox.append(List.of(event));
        });
        return session;
    }

    /// Trades a refresh token for the next one.
    ///
    /// @return empty when it is unknown, used, over, or its family was revoked
    Optional<Session> refresh(String refreshToken) {
        Instant now = tools.time.instant();
        byte[] hash = Secrets.hash(refreshToken);
        Optional<Session> next = Objects.requireNonNull(transaction.execute(_ -> {
            Optional<Session> used = db.sql("""
                            UPDATE access.refresh_token t
                               SET used_at = :now
                              FROM access.refresh_family f
                             WHERE t.hash = :hash AND t.used_at IS NULL
                               AND f.id = t.family AND f.revoked_at IS NULL AND f.expires_at > :now
                            RETURNING f.id, f.principal
                            """)
                    .param("now", Timestamp.from(now))
                    .param("hash", hash)
                    .query((row, n) -> new Session(
                            row.getObject("id", UUID.class), row.getObject("principal", UUID.class), Secrets.next()))
                    .optional();
            used.ifPresent(session -> addToken(session, now));
            return used;
        }));
        if (next.isEmpty()) {
            // Used before, or unknown: in the first case the family ends.
            end(refreshToken, "refresh_reused");
        }
        return next;
    }

    /// Ends the family of a refresh token.
    ///
    /// @param action what the audit trail calls it
    /// @return whether there was one to end
    boolean end(String refreshToken, String action) {
        return familyOf(refreshToken).map(family -> end(family, action)).orElse(false);
    }

    /// Ends a sign-in: no refresh, and its access tokens are refused.
    boolean end(UUID family, String action) {
        Instant now = tools.time.instant();
        Boolean ended = transaction.execute(_ -> {
            Optional<UUID> principal = db.sql("""
                            UPDATE access.refresh_family
                               SET revoked_at = :now
                             WHERE id = :id AND revoked_at IS NULL
                            RETURNING principal
                            """)
                    .param("now", Timestamp.from(now))
                    .param("id", family)
                    .query(UUID.class)
                    .optional();
            principal.ifPresent(user -> {
                tools.revocations.prune(now);
                tools.revocations.revoke(family.toString(), now.plus(Duration.ofDays(1)));
                tools.revisions.raise();
                boolean reuse = action.equals("refresh_reused");
                tools.outbox.append(List.of(
                        AuditEvent.of(EventType.AUTHENTICATION, action, reuse ? Result.DENIED : Result.SUCCESS, now)
                                .user(user)));
            });
            return principal.isPresent();
        });
        tools.revisions.changed();
        return Boolean.TRUE.equals(ended);
    }

    private Optional<UUID> familyOf(String refreshToken) {
        return db.sql("""
                        SELECT family
                          FROM access.refresh_token
                         WHERE hash = :hash
                        """)
                .param("hash", Secrets.hash(refreshToken))
                .query(UUID.class)
                .optional();
    }

    private void addToken(Session session, Instant now) {
        db.sql("""
                        INSERT INTO access.refresh_token (hash, family, issued_at)
                        VALUES (:hash, :family, :now)
                        """)
                .param("hash", Secrets.hash(session.refreshToken))
                .param("family", session.id)
                .param("now", Timestamp.from(now))
                .update();
    }

    private void prune(Instant now) {
        db.sql("DELETE FROM access.refresh_family WHERE expires_at < :now")
                .param("now", Timestamp.from(now))
                .update();
    }
}
