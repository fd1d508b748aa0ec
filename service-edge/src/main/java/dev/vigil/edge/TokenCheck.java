package dev.vigil.edge;

import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.client.ClientHttpRequestFactory;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.security.oauth2.core.DelegatingOAuth2TokenValidator;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.jwt.BadJwtException;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtException;
import org.springframework.security.oauth2.jwt.JwtIssuerValidator;
import org.springframework.security.oauth2.jwt.JwtTimestampValidator;
import org.springframework.security.oauth2.jwt.JwtTypeValidator;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.web.client.RestTemplate;

/// Checks access tokens of the API: RS256 only, its issuer, in time, with a person, a role and scopes; and then whether
/// they still stand, which the API says, see [Standings]. Role and namespace are what it says, not what the token says.
public final class TokenCheck {
    private static final int TOKEN_LENGTH_MAX = 8 * 1024;
    private static final Duration CLOCK_SKEW_MAX = Duration.ofSeconds(30);
    private static final Duration KEYS_PATIENCE = Duration.ofSeconds(3);
    private static final Logger LOG = LoggerFactory.getLogger(TokenCheck.class);

    private final JwtDecoder decoder;
    private final Standings standings;

    private TokenCheck(JwtDecoder decoder, Standings standings) {
        this.decoder = decoder;
        this.standings = standings;
    }

    /// Checks tokens of that issuer.
    ///
    /// @param keys   where the issuer publishes its keys, `…/jwks`; beside it is `…/standing`
    /// @param client asks there; it is asked for each time, because its certificate may be renewed in between
    public static TokenCheck of(String issuer, String keys, Supplier<HttpClient> client) {
        ClientHttpRequestFactory requests = (url, method) -> {
            var fetch = new JdkClientHttpRequestFactory(client.get());
            fetch.setReadTimeout(KEYS_PATIENCE);
            return fetch.createRequest(url, method);
        };
        NimbusJwtDecoder decoder = NimbusJwtDecoder.withJwkSetUri(keys)
                .jwsAlgorithm(SignatureAlgorithm.RS256)
                .validateType(false)
                .restOperations(new RestTemplate(requests))
                .build();
        var type = new JwtTypeValidator("JWT", "at+jwt");
        type.setAllowEmpty(true);
        decoder.setJwtValidator(new DelegatingOAuth2TokenValidator<>(
                new JwtTimestampValidator(CLOCK_SKEW_MAX), new JwtIssuerValidator(issuer), type));
        return new TokenCheck(decoder, new Standings(URI.create(keys).resolve("standing"), client));
    }

    /// Who calls.
    ///
    /// @throws RefusedException 401, or 503 while the issuer does not answer
    public Caller caller(Call call) {
        String token = call.bearer();
        if (!token.isEmpty() && token.length() <= TOKEN_LENGTH_MAX) {
            try {
                Optional<Caller> caller = caller(decoder.decode(token), token);
                if (caller.isPresent()) {
                    return caller.get();
                }
            } catch (BadJwtException _) {
                // Refused below, like every other token that is not good.
            } catch (JwtException e) {
                LOG.warn("event=token_keys_unavailable; tokens cannot be checked until they are: {}", e.getMessage());
                throw new RefusedException(Problem.passing(
                        Code.SERVICE_UNAVAILABLE,
                        "The keys that tokens are checked with cannot be fetched; try again."));
            }
        }
        throw new RefusedException(Problem.of(
                Code.INVALID_TOKEN,
                "The token is unknown or has ended; get a new one and send it as Bearer.",
                Map.of("WWW-Authenticate", "Bearer error=\"invalid_token\"")));
    }

    private Optional<Caller> caller(Jwt jwt, String token) {
        String subject = jwt.getSubject();
        // What lacks one of these is no access token, and not worth a question.
        if (subject == null
                || jwt.getExpiresAt() == null
                || jwt.getClaimAsString("role") == null
                || !(jwt.getClaim("namespace") instanceof Number)) {
            return Optional.empty();
        }
        return Id.parse(Kind.USER, subject)
                .flatMap(id -> standings
                        .of(token)
                        .map(now -> new Caller(
                                id.uuid(), now.role(), now.namespace(), scopes(jwt.getClaim("scope")), token)));
    }

    // RFC 9068 has one text with spaces, Spring's authorization server a list.
    private static Set<String> scopes(@Nullable Object claim) {
        var scopes = new HashSet<String>();
        if (claim instanceof String text) {
            scopes.addAll(Arrays.asList(text.split(" ")));
        } else if (claim instanceof Collection<?> list) {
            list.forEach(scope -> scopes.add(String.valueOf(scope)));
        }
        return scopes;
    }
}
