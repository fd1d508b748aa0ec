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
import org.jspecify.annotations.Nullable;
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
    record Tools(Outbox outbox, Revocations revocations, Revisions revisions, VaultKeys keys, InstantSource time) {}

    Sessions(JdbcClient db, TransactionTemplate transaction, Tools tools, AccessSettings settings) {
        this.db = db;
        this.transaction = transaction;
        this.tools = tools;
        this.life = settings.sessionLife();
    }

    /// A sign-in.
    ///
    /// @param consent what it was granted for; null when somebody signed in for himself
    record SignIn(UUID family, UUID principal, @Nullable Consent consent) {}

    /// The next refresh token of a sign-in.
    record Next(RefreshToken token, @Nullable Consent consent) {}

    /// Begins a sign-in of somebody for himself.
    ///
    /// @param event its audit event, written with it
    RefreshToken begin(UUID principal, AuditEvent event) {
        return begin(new SignIn(UUID.randomUUID(), principal, null), event).orElseThrow();
    }

    /// Begins a sign-in, once.
    ///
    /// @return empty when it was begun before: the code for it was used twice, so it is over
    Optional<RefreshToken> begin(SignIn begun, AuditEvent event) {
        Instant now = tools.time.instant();
        Consent consent = begun.consent;
        RefreshToken first = RefreshToken.next(begun.family, begun.principal);
        Boolean fresh = transaction.execute(_ -> {
            prune(now);
            int rows = db.sql("""
                            INSERT INTO access.refresh_family (id, principal, created_at, expires_at, client, scopes)
                            VALUES (:id, :principal, :now, :expires_at, :client, :scopes::text[])
                                ON CONFLICT (id) DO NOTHING
                            """)
                    .param("id", begun.family)
                    .param("principal", begun.principal)
                    .param("now", Timestamp.from(now))
                    .param("expires_at", Timestamp.from(now.plus(life)))
                    .param("client", consent == null ? null : consent.client())
                    .param("scopes", consent == null ? null : consent.scopes().toArray(String[]::new))
                    .update();
            if (rows == 1) {
                addToken(first, consent, now);
                tools.outbox.append(List.of(event));
            }
            return rows == 1;
        });
        if (Boolean.TRUE.equals(fresh)) {
            return Optional.of(first);
        }
        end(begun.family, "code_reused");
        return Optional.empty();
    }

    /// Trades a refresh token for the next one of its sign-in.
    ///
    /// @param client who shows it; null for somebody who signed in for himself
    /// @return empty when it is unknown, used, over, another client's, or its family was revoked
    Optional<Next> refresh(String text, @Nullable String client) {
        RefreshToken shown = RefreshToken.parse(text).orElse(null);
        if (shown == null) {
            return Optional.empty();
        }
        Consent consent = consentOf(shown.family()).orElse(null);
        if (!Objects.equals(client, consent == null ? null : consent.client())) {
            return Optional.empty();
        }
        Optional<Next> next = trade(shown, consent).map(token -> new Next(token, consent));
        if (next.isEmpty() && isKnown(shown, consent)) {
            // Used before: two parties hold it, and nobody can tell which is the right one.
            end(shown.family(), "refresh_reused");
        }
        return next;
    }

    private Optional<RefreshToken> trade(RefreshToken shown, @Nullable Consent consent) {
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
                    .param("hash", hash(shown, consent))
                    .param("family", shown.family())
                    .param("principal", shown.principal())
                    .update();
            if (used == 0) {
                return Optional.<RefreshToken>empty();
            }
            RefreshToken next = RefreshToken.next(shown.family(), shown.principal());
            addToken(next, consent, now);
            AuditEvent event = AuditEvent.of(EventType.AUTHENTICATION, "refresh", Result.SUCCESS, now)
                    .user(shown.principal());
            tools.outbox.append(List.of(consent == null ? event : event.with("client", consent.client())));
            return Optional.of(next);
        }));
    }

    /// The sign-in of a refresh token that this service gave to a client.
    Optional<UUID> familyOf(String text, String client) {
        return RefreshToken.parse(text)
                .filter(token -> consentOf(token.family())
                        .filter(consent -> consent.client().equals(client) && isKnown(token, consent))
                        .isPresent())
                .map(RefreshToken::family);
    }

    private Optional<Consent> consentOf(UUID family) {
        return db.sql("""
                        SELECT client, scopes FROM access.refresh_family WHERE id = :id AND client IS NOT NULL
                        """)
                .param("id", family)
                .query((row, n) -> new Consent(row.getString("client"), List.of((String[])
                        row.getArray("scopes").getArray())))
                .optional();
    }

    /// Ends the sign-in of a refresh token.
    ///
    /// @return whether there was one to end
    boolean logout(String text) {
        Optional<RefreshToken> known = RefreshToken.parse(text).filter(token -> isKnown(token, null));
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
                tools.revocations.revoke(family.toString(), now.plus(Tokens.LIFE_MAX));
                tools.revisions.raise();
                boolean reuse = action.endsWith("_reused");
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
                    .param("until", Timestamp.from(now.plus(Tokens.LIFE_MAX)))
                    .update();
            tools.revisions.raise();
            tools.outbox.append(List.of(AuditEvent.of(EventType.AUTHENTICATION, "sessions_ended", Result.SUCCESS, now)
                    .user(principal)));
        });
        tools.revisions.changed();
    }

    /// A sign-in as it is told to the person himself.
    ///
    /// @param endedAt null while it lasts, or when it ended by itself
    /// @param client  the program it was granted to; null when he signed in for himself
    record Known(
            Instant beganAt,
            Instant expiresAt,
            @Nullable Instant endedAt,
            @Nullable String client) {}

    /// The sign-ins of somebody that are stored, newest first. What has expired is removed by the next sign-in.
    List<Known> of(UUID principal, int limit) {
        return db.sql("""
                        SELECT created_at, expires_at, revoked_at, client
                          FROM access.refresh_family
                         WHERE principal = :principal
                         ORDER BY created_at DESC
                         LIMIT :limit
                        """)
                .param("principal", principal)
                .param("limit", limit)
                .query((row, n) -> {
                    Timestamp ended = row.getTimestamp("revoked_at");
                    return new Known(
                            row.getTimestamp("created_at").toInstant(),
                            row.getTimestamp("expires_at").toInstant(),
                            ended == null ? null : ended.toInstant(),
                            row.getString("client"));
                })
                .list();
    }

    private boolean isKnown(RefreshToken token, @Nullable Consent consent) {
        return db.sql("""
                        SELECT EXISTS (SELECT FROM access.refresh_token WHERE hash = :hash AND family = :family)
                        """)
                .param("hash", hash(token, consent))
                .param("family", token.family())
                .query(Boolean.class)
                .single();
    }

    private void addToken(RefreshToken token, @Nullable Consent consent, Instant now) {
        db.sql("""
                        INSERT INTO access.refresh_token (hash, family, issued_at)
                        VALUES (:hash, :family, :now)
                        """)
                .param("hash", hash(token, consent))
                .param("family", token.family())
                .param("now", Timestamp.from(now))
                .update();
    }

    /// What a refresh token is stored as. What it was granted for is part of it, so a family that SQL widened knows
    /// none of its tokens.
    private byte[] hash(RefreshToken token, @Nullable Consent consent) {
        byte[] bytes = consent == null
                ? token.text().getBytes(StandardCharsets.US_ASCII)
                : RowSigner.bytes(token.text(), consent.client(), consent.scopes());
        return tools.keys.mac("access.refresh_token", bytes);
    }

    private void prune(Instant now) {
        db.sql("DELETE FROM access.refresh_family WHERE expires_at < :now")
                .param("now", Timestamp.from(now))
                .update();
    }
}
