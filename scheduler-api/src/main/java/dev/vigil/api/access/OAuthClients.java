package dev.vigil.api.access;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.security.oauth2.core.AuthorizationGrantType;
import org.springframework.security.oauth2.core.ClientAuthenticationMethod;
import org.springframework.security.oauth2.server.authorization.client.RegisteredClient;
import org.springframework.security.oauth2.server.authorization.client.RegisteredClientRepository;
import org.springframework.security.oauth2.server.authorization.settings.TokenSettings;

/// Clients as the authorization server sees them. Those of disabled owners, and rows that nobody signed, do not exist.
final class OAuthClients implements RegisteredClientRepository {
    private final ClientRows clients;
    private final UserRows users;
    private final RowSigner signer;
    private final PublicClients programs;
    private final Duration tokenLife;

    OAuthClients(ClientRows clients, UserRows users, Known known, AccessSettings settings) {
        this.clients = clients;
        this.users = users;
        this.signer = known.signer;
        this.programs = known.programs;
        this.tokenLife = settings.tokenLife();
    }

    /// Who vouches for clients: an HMAC for those that are rows, settings for those that are not.
    record Known(RowSigner signer, PublicClients programs) {}

    @Override
    public void save(RegisteredClient client) {
        throw new UnsupportedOperationException("clients are made with their service accounts");
    }

    @Override
    public @Nullable RegisteredClient findById(String id) {
        return findByClientId(id);
    }

    @Override
    public @Nullable RegisteredClient findByClientId(String clientId) {
        return programs.find(clientId)
                .map(this::registered)
                .or(() -> clients.findById(clientId)
                        .filter(signer::signed)
                        .filter(client -> owner(client).isPresent())
                        .map(this::registered))
                .orElse(null);
    }

    /// The service account behind a client, if it may call.
    Optional<User> ownerOf(String clientId) {
        return clients.findById(clientId).filter(signer::signed).flatMap(this::owner);
    }

    private Optional<User> owner(Client client) {
        return users.findPresent(client.principal).filter(User::isActive).filter(signer::signed);
    }

    private RegisteredClient registered(PublicClients.PublicClient program) {
        return RegisteredClient.withId(program.id())
                .clientId(program.id())
                .clientAuthenticationMethod(ClientAuthenticationMethod.NONE)
                .authorizationGrantType(AuthorizationGrantType.AUTHORIZATION_CODE)
                .authorizationGrantType(AuthorizationGrantType.REFRESH_TOKEN)
                .redirectUris(uris -> uris.addAll(program.redirectUris()))
                .tokenSettings(
                        TokenSettings.builder().accessTokenTimeToLive(tokenLife).build())
                .build();
    }

    private RegisteredClient registered(Client client) {
        return RegisteredClient.withId(client.clientId)
                .clientId(client.clientId)
                .clientIdIssuedAt(client.createdAt)
                .clientSecret(Secrets.text(client.secretHash))
                .clientAuthenticationMethod(ClientAuthenticationMethod.CLIENT_SECRET_BASIC)
                .clientAuthenticationMethod(ClientAuthenticationMethod.CLIENT_SECRET_POST)
                .authorizationGrantType(AuthorizationGrantType.CLIENT_CREDENTIALS)
                .scopes(scopes -> scopes.addAll(client.scopeLabels()))
                .tokenSettings(
                        TokenSettings.builder().accessTokenTimeToLive(tokenLife).build())
                .build();
    }
}
