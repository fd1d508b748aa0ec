package dev.vigil.api.access;

import dev.vigil.api.web.Outbox;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.security.oauth2.core.AuthorizationGrantType;
import org.springframework.security.oauth2.core.OAuth2AccessToken;
import org.springframework.security.oauth2.core.OAuth2RefreshToken;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.server.authorization.OAuth2Authorization;
import org.springframework.security.oauth2.server.authorization.OAuth2AuthorizationService;
import org.springframework.security.oauth2.server.authorization.OAuth2TokenType;
import org.springframework.security.oauth2.server.authorization.authentication.OAuth2ClientAuthenticationToken;
import org.springframework.security.oauth2.server.authorization.client.RegisteredClient;
import org.springframework.transaction.support.TransactionTemplate;

/// Tokens that clients got, for introspection and revocation. Nothing is stored when one is issued: a token carries all
/// there is to know, and only its early end is a row.
final class IssuedTokens implements OAuth2AuthorizationService {
    private final OAuthClients clients;
    private final Tokens tokens;
    private final Revocations revocations;
    private final Endings endings;

    /// How an early end is written and made known.
    record Endings(
            TransactionTemplate transaction,
            Revisions revisions,
            Sessions sessions,
            Outbox outbox,
            InstantSource time) {}

    IssuedTokens(OAuthClients clients, Tokens tokens, Revocations revocations, Endings endings) {
        this.clients = clients;
        this.tokens = tokens;
        this.revocations = revocations;
        this.endings = endings;
    }

    @Override
    public void save(OAuth2Authorization authorization) {
        OAuth2Authorization.Token<OAuth2RefreshToken> refresh = authorization.getRefreshToken();
        if (refresh != null && refresh.isInvalidated()) {
            endings.sessions.end(UUID.fromString(authorization.getId()), "logout");
            return;
        }
        OAuth2Authorization.Token<OAuth2AccessToken> token = authorization.getAccessToken();
        if (token == null || !token.isInvalidated()) {
            return;
        }
        Instant expiresAt = token.getToken().getExpiresAt();
        endings.transaction.executeWithoutResult(_ -> {
            revocations.revoke(authorization.getId(), expiresAt == null ? Instant.MAX : expiresAt);
            endings.revisions.raise();
            AuditEvent event =
                    AuditEvent.of(EventType.AUTHENTICATION, "revoke_token", Result.SUCCESS, endings.time.instant());
            Id.parse(Kind.USER, authorization.getPrincipalName()).ifPresent(owner -> event.user(owner.uuid()));
            endings.outbox.append(List.of(event));
        });
        endings.revisions.changed();
    }

    @Override
    public void remove(OAuth2Authorization authorization) {
        throw new UnsupportedOperationException("tokens are revoked, not removed");
    }

    @Override
    public @Nullable OAuth2Authorization findById(String id) {
        return null;
    }

    @Override
    public @Nullable OAuth2Authorization findByToken(String token, @Nullable OAuth2TokenType type) {
        return tokens.verify(token)
                .map(this::authorization)
                .or(() -> signIn(token))
                .orElse(null);
    }

    /// The sign-in of a refresh token, for the client that got it.
    private Optional<OAuth2Authorization> signIn(String token) {
        String asking = askingClient();
        RegisteredClient client = asking == null ? null : clients.findByClientId(asking);
        if (asking == null || client == null) {
            return Optional.empty();
        }
        return endings.sessions
                .familyOf(token, asking)
                .map(family -> OAuth2Authorization.withRegisteredClient(client)
                        .id(family.toString())
                        .principalName(family.toString())
                        .authorizationGrantType(AuthorizationGrantType.REFRESH_TOKEN)
                        .refreshToken(new OAuth2RefreshToken(token, null))
                        .build());
    }

    /// Only the client that got a token hears about it.
    private @Nullable OAuth2Authorization authorization(Jwt jwt) {
        String clientId = jwt.getClaimAsString("client_id");
        String id = jwt.getId();
        String subject = jwt.getSubject();
        RegisteredClient client = clientId == null ? null : clients.findByClientId(clientId);
        if (client == null
                || id == null
                || subject == null
                || !client.getClientId().equals(askingClient())) {
            return null;
        }
        List<String> scopes = jwt.getClaimAsStringList("scope");
        Set<String> granted = scopes == null ? Set.of() : new TreeSet<>(scopes);
        var accessToken = new OAuth2AccessToken(
                OAuth2AccessToken.TokenType.BEARER,
                jwt.getTokenValue(),
                jwt.getIssuedAt(),
                jwt.getExpiresAt(),
                granted);
        boolean revoked = tokens.callerOf(jwt) == null;
        return OAuth2Authorization.withRegisteredClient(client)
                .id(id)
                .principalName(subject)
                .authorizationGrantType(AuthorizationGrantType.CLIENT_CREDENTIALS)
                .authorizedScopes(granted)
                .token(accessToken, metadata -> {
                    metadata.put(OAuth2Authorization.Token.CLAIMS_METADATA_NAME, jwt.getClaims());
                    metadata.put(OAuth2Authorization.Token.INVALIDATED_METADATA_NAME, revoked);
                })
                .build();
    }

    private static @Nullable String askingClient() {
        Authentication asking = SecurityContextHolder.getContext().getAuthentication();
        return asking instanceof OAuth2ClientAuthenticationToken client && client.getRegisteredClient() != null
                ? client.getRegisteredClient().getClientId()
                : null;
    }
}
