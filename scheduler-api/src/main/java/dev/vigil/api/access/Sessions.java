package dev.vigil.api.access;

import dev.vigil.api.vault.VaultKeys;
import dev.vigil.api.web.Outbox;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import java.nio.charset.StandardCharsets;
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
    /// No access token outlives this, so neither needs its revocation to.
    private static final Duration TOKEN_LIFE_MAX = Duration.ofDays(1);

    private final JdbcClient db;
    private final TransactionTemplate transaction;
    private final Tools tools;
    private final Duration life;

    /// What a sign-in needs besides its tables.
    record Tools(Outbox outbox, Revocations revocations, Revisions revisions, VaultKeys keys, InstantSource time) {}

    Sessions(JdbcClient db, TransactionTemplate transaction, Tools tools, AccessSettings settings) {
        this.db = db;
        this.transaction = transaction;
        this.tools = tools;
        this.life = settings.sessionLife();
    }

    /// Begins a sign-in.
    ///
    /// @param event its audit event, written with it
    RefreshToken begin(UUID principal, AuditEvent event) {
        Instant now = tools.time.instant();
        RefreshToken first = RefreshToken.next(UUID.randomUUID(), principal);
        transaction.executeWithoutResult(_ -> {
            prune(now);
            db.sql("""
                            INSERT INTO access.refresh_family (id, principal, created_at, expires_at)
                            VALUES (:id, :principal, :now, :expires_at)
                            """)
                    .param("id", first.family())
                    .param("principal", principal)
                    .param("now", Timestamp.from(now))
                    .param("expires_at", Timestamp.from(now.plus(life)))
                    .update();
            addToken(first, now);
            tools.outbox.append(List.of(event));
        });
        return first;
    }

    /// Trades a refresh token for the next one of its sign-in.
    ///
    /// @return empty when it is unknown, used, over, or its family was revoked
    Optional<RefreshToken> refresh(String text) {
        Optional<RefreshToken> shown = RefreshToken.parse(text);
        Optional<RefreshToken> next = shown.flatMap(this::trade);
        if (next.isEmpty() && shown.filter(this::isKnown).isPresent()) {
            // Used before: two parties hold it, and nobody can tell which is the right one.
            end(shown.get().family(), "refresh_reused");
        }
        return next;
    }

    private Optional<RefreshToken> trade(RefreshToken shown) {
        Instant now = tools.time.instant();
        return Objects.requireNonNull(transaction.execute(_ -> {
            int used = db.sql("""
                            UPDATE access.refresh_token t
                               SET used_at = :now
                              FROM access.refresh_family f
                             WHERE t.hash = :hash AND t.used_at IS NULL AND t.family = :family
                               AND f.id = :family AND f.principal = :principal
                               AND f.revoked_at IS NULL AND f.expires_at > :now
                            """)
                    .param("now", Timestamp.from(now))
                    .param("hash", hash(shown))
                    .param("family", shown.family())
                    .param("principal", shown.principal())
                    .update();
            if (used == 0) {
                return Optional.<RefreshToken>empty();
            }
            RefreshToken next = RefreshToken.next(shown.family(), shown.principal());
            addToken(next, now);
            tools.outbox.append(List.of(AuditEvent.of(EventType.AUTHENTICATION, "refresh", Result.SUCCESS, now)
                    .user(shown.principal())));
            return Optional.of(next);
        }));
    }

    /// Ends the sign-in of a refresh token.
    ///
    /// @return whether there was one to end
    boolean logout(String text) {
        Optional<RefreshToken> known = RefreshToken.parse(text).filter(this::isKnown);
        return known.isPresent() && end(known.get().family(), "logout");
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
                tools.revocations.revoke(family.toString(), now.plus(TOKEN_LIFE_MAX));
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

    /// Ends all sign-ins of a user, in force at once.
    void endAll(UUID principal) {
        Instant now = tools.time.instant();
        transaction.executeWithoutResult(_ -> {
            db.sql("""
                            WITH ended AS (
                              UPDATE access.refresh_family
                                 SET revoked_at = :now
                               WHERE principal = :principal AND revoked_at IS NULL
                              RETURNING id
                            )
                            INSERT INTO access.revoked (id, expires_at)
                            SELECT id::text, :until FROM ended
                                ON CONFLICT (id) DO NOTHING
                            """)
                    .param("now", Timestamp.from(now))
                    .param("principal", principal)
                    .param("until", Timestamp.from(now.plus(TOKEN_LIFE_MAX)))
                    .update();
            tools.revisions.raise();
            tools.outbox.append(List.of(AuditEvent.of(EventType.AUTHENTICATION, "sessions_ended", Result.SUCCESS, now)
                    .user(principal)));
        });
        tools.revisions.changed();
    }

    private boolean isKnown(RefreshToken token) {
        return db.sql("""
                        SELECT EXISTS (SELECT FROM access.refresh_token WHERE hash = :hash AND family = :family)
                        """)
                .param("hash", hash(token))
                .param("family", token.family())
                .query(Boolean.class)
                .single();
    }

    private void addToken(RefreshToken token, Instant now) {
        db.sql("""
                        INSERT INTO access.refresh_token (hash, family, issued_at)
                        VALUES (:hash, :family, :now)
                        """)
                .param("hash", hash(token))
                .param("family", token.family())
                .param("now", Timestamp.from(now))
                .update();
    }

    private byte[] hash(RefreshToken token) {
        return tools.keys.mac("access.refresh_token", token.text().getBytes(StandardCharsets.US_ASCII));
    }

    private void prune(Instant now) {
        db.sql("DELETE FROM access.refresh_family WHERE expires_at < :now")
                .param("now", Timestamp.from(now))
                .update();
    }
}
