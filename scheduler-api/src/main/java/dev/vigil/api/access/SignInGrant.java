package dev.vigil.api.access;

import dev.vigil.api.web.Call;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import jakarta.servlet.http.HttpServletRequest;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.security.authentication.AuthenticationProvider;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.security.oauth2.core.AuthorizationGrantType;
import org.springframework.security.oauth2.core.OAuth2AccessToken;
import org.springframework.security.oauth2.core.OAuth2AuthenticationException;
import org.springframework.security.oauth2.core.OAuth2ErrorCodes;
import org.springframework.security.oauth2.core.OAuth2RefreshToken;
import org.springframework.security.oauth2.server.authorization.authentication.OAuth2AccessTokenAuthenticationToken;
import org.springframework.security.oauth2.server.authorization.authentication.OAuth2AuthorizationGrantAuthenticationToken;
import org.springframework.security.oauth2.server.authorization.authentication.OAuth2ClientAuthenticationToken;
import org.springframework.security.oauth2.server.authorization.client.RegisteredClient;
import org.springframework.security.web.authentication.AuthenticationConverter;

/// The grants behind which stands a person, at the token endpoint: `authorization_code` and `refresh_token`. A code
/// begins a sign-in once; a refresh token goes on with it once; whichever is used twice ends it.
final class SignInGrant implements AuthenticationConverter, AuthenticationProvider {
    private static final List<String> MEMBERS = List.of("code", "redirect_uri", "code_verifier", "refresh_token");

    private final AuthorizationCodes codes;
    private final Sessions sessions;
    private final Tokens tokens;
    private final People people;

    /// Who signs in, and who watches.
    record People(Users users, RowSigner signer, FailureThrottle throttle, CallLog log, InstantSource time) {}

    SignInGrant(AuthorizationCodes codes, Sessions sessions, Tokens tokens, People people) {
        this.codes = codes;
        this.sessions = sessions;
        this.tokens = tokens;
        this.people = people;
    }

    /// What was sent, and from where.
    private static final class Asked extends OAuth2AuthorizationGrantAuthenticationToken {
        private static final long serialVersionUID = 1;

        private final String address;
        private final String request;

        Asked(AuthorizationGrantType grant, Authentication client, Map<String, Object> sent, HttpServletRequest from) {
            super(grant, client, sent);
            this.address = from.getRemoteAddr();
            this.request = Call.requestId(from);
        }

        String sent(String name) {
            return String.valueOf(getAdditionalParameters().getOrDefault(name, ""));
        }
    }

    /// A sign-in that goes on.
    private record Granted(
            User user, RefreshToken refresh, Consent consent, AuthorizationCodes.@Nullable Granted code) {}

    @Override
    public @Nullable Authentication convert(HttpServletRequest request) {
        String grant = request.getParameter("grant_type");
        Authentication client = SecurityContextHolder.getContext().getAuthentication();
        if (client == null
                || (!AuthorizationGrantType.AUTHORIZATION_CODE.getValue().equals(grant)
                        && !AuthorizationGrantType.REFRESH_TOKEN.getValue().equals(grant))) {
            return null;
        }
        Map<String, Object> sent = new LinkedHashMap<>();
        for (String member : MEMBERS) {
            String[] values = request.getParameterValues(member);
            if (values != null && values.length > 1) {
                throw new OAuth2AuthenticationException(OAuth2ErrorCodes.INVALID_REQUEST);
            }
            if (values != null) {
                sent.put(member, values[0]);
            }
        }
        return new Asked(new AuthorizationGrantType(grant), client, sent, request);
    }

    @Override
    public Authentication authenticate(Authentication authentication) {
        var asked = (Asked) authentication;
        RegisteredClient client = asked.getPrincipal() instanceof OAuth2ClientAuthenticationToken known
                ? known.getRegisteredClient()
                : null;
        if (client == null) {
            throw new OAuth2AuthenticationException(OAuth2ErrorCodes.INVALID_CLIENT);
        }
        if (!client.getAuthorizationGrantTypes().contains(asked.getGrantType())) {
            throw new OAuth2AuthenticationException(OAuth2ErrorCodes.UNAUTHORIZED_CLIENT);
        }
        Optional<Granted> granted = asked.getGrantType().equals(AuthorizationGrantType.AUTHORIZATION_CODE)
                ? trade(asked, client.getClientId())
                : refresh(asked, client.getClientId());
        if (granted.isEmpty()) {
            people.throttle.failed(client.getClientId(), asked.address);
            people.log.signIn(event(asked, client, Result.FAILURE), asked.address, false);
            throw new OAuth2AuthenticationException(OAuth2ErrorCodes.INVALID_GRANT);
        }
        return answer(client, asked, granted.get());
    }

    private Optional<Granted> trade(Asked asked, String client) {
        var shown = new AuthorizationCodes.Shown(client, asked.sent("redirect_uri"), asked.sent("code_verifier"));
        return switch (codes.read(asked.sent("code"), shown)) {
            case AuthorizationCodes.Worth.Nothing() -> Optional.empty();
            case AuthorizationCodes.Worth.Late(UUID family) -> {
                sessions.end(family, "code_reused");
                yield Optional.empty();
            }
            case AuthorizationCodes.Worth.Good(AuthorizationCodes.Granted code) -> {
                User user = active(code.user()).orElse(null);
                if (user == null) {
                    yield Optional.empty();
                }
                var begun = new Sessions.SignIn(code.family(), user.id, code.consent());
                AuditEvent event = event(asked, client, user);
                yield sessions.begin(begun, event).map(refresh -> new Granted(user, refresh, code.consent(), code));
            }
        };
    }

    private Optional<Granted> refresh(Asked asked, String client) {
        return sessions.refresh(asked.sent("refresh_token"), client)
                .flatMap(next -> active(next.token().principal()).map(user -> {
                    Consent consent = java.util.Objects.requireNonNull(next.consent());
                    return new Granted(user, next.token(), consent, null);
                }));
    }

    private Optional<User> active(UUID id) {
        return people.users.find(id).filter(User::isActive).filter(people.signer::signed);
    }

    private Authentication answer(RegisteredClient client, Asked asked, Granted granted) {
        Instant now = people.time.instant();
        Set<String> scopes = new TreeSet<>(granted.consent.scopes());
        String access = tokens.issue(granted.user, granted.refresh.family(), granted.consent);
        Map<String, Object> more = new LinkedHashMap<>();
        AuthorizationCodes.Granted code = granted.code;
        if (code != null && scopes.contains(AuthorizationRequest.OPENID)) {
            more.put("id_token", tokens.idToken(granted.user, code));
        }
        return new OAuth2AccessTokenAuthenticationToken(
                client,
                (Authentication) asked.getPrincipal(),
                new OAuth2AccessToken(OAuth2AccessToken.TokenType.BEARER, access, now, now.plus(tokens.life()), scopes),
                new OAuth2RefreshToken(granted.refresh.text(), now),
                more);
    }

    private AuditEvent event(Asked asked, String client, User user) {
        return AuditEvent.of(
                        EventType.AUTHENTICATION,
                        asked.getGrantType().getValue(),
                        Result.SUCCESS,
                        people.time.instant())
                .user(user.id)
                .namespace(user.namespace)
                .with("client", client)
                .with("ip_address", asked.address)
                .with("request_id", asked.request);
    }

    private AuditEvent event(Asked asked, RegisteredClient client, Result result) {
        return AuditEvent.of(EventType.AUTHENTICATION, asked.getGrantType().getValue(), result, people.time.instant())
                .with("client", client.getClientId())
                .with("request_id", asked.request);
    }

    @Override
    public boolean supports(Class<?> type) {
        return Asked.class.isAssignableFrom(type);
    }
}
