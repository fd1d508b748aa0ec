package dev.vigil.api.access;

import jakarta.servlet.http.HttpServletRequest;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.security.authentication.AuthenticationProvider;
import org.springframework.security.core.Authentication;
import org.springframework.security.oauth2.core.ClientAuthenticationMethod;
import org.springframework.security.oauth2.core.OAuth2AuthenticationException;
import org.springframework.security.oauth2.core.OAuth2ErrorCodes;
import org.springframework.security.oauth2.server.authorization.authentication.OAuth2ClientAuthenticationToken;
import org.springframework.security.oauth2.server.authorization.client.RegisteredClient;
import org.springframework.security.web.authentication.AuthenticationConverter;

/// Programs that keep no secret, at the endpoints where they may say who they are without one: they prove it by what
/// they trade there. Spring's own check would look the code up a second time, where nothing is stored.
final class PublicClientCheck implements AuthenticationConverter, AuthenticationProvider {
    private static final Set<String> PATHS = Set.of("/oauth2/token", "/oauth2/revoke");

    private final OAuthClients clients;

    PublicClientCheck(OAuthClients clients) {
        this.clients = clients;
    }

    @Override
    public @Nullable Authentication convert(HttpServletRequest request) {
        String clientId = request.getParameter("client_id");
        String secret = request.getParameter("client_secret");
        return clientId == null
                        || (secret != null && !secret.isEmpty())
                        || request.getHeader("Authorization") != null
                        || request.getParameter("client_assertion") != null
                        || !PATHS.contains(request.getRequestURI())
                ? null
                : new OAuth2ClientAuthenticationToken(clientId, ClientAuthenticationMethod.NONE, null, Map.of());
    }

    @Override
    public @Nullable Authentication authenticate(Authentication shown) {
        if (!(shown instanceof OAuth2ClientAuthenticationToken token)
                || !ClientAuthenticationMethod.NONE.equals(token.getClientAuthenticationMethod())) {
            return null;
        }
        RegisteredClient client = clients.findByClientId(String.valueOf(token.getPrincipal()));
        if (client == null || !client.getClientAuthenticationMethods().contains(ClientAuthenticationMethod.NONE)) {
            throw new OAuth2AuthenticationException(OAuth2ErrorCodes.INVALID_CLIENT);
        }
        return new OAuth2ClientAuthenticationToken(client, ClientAuthenticationMethod.NONE, null);
    }

    @Override
    public boolean supports(Class<?> type) {
        return OAuth2ClientAuthenticationToken.class.isAssignableFrom(type);
    }
}
