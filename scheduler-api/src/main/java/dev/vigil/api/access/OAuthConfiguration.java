package dev.vigil.api.access;

import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.proc.SecurityContext;
import dev.vigil.api.web.RouteGate;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import jakarta.servlet.http.HttpServletRequest;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configuration.EnableWebSecurity;
import org.springframework.security.config.annotation.web.configurers.AbstractHttpConfigurer;
import org.springframework.security.config.http.SessionCreationPolicy;
import org.springframework.security.core.Authentication;
import org.springframework.security.crypto.password.PasswordEncoder;
import org.springframework.security.oauth2.core.DelegatingOAuth2TokenValidator;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtEncoder;
import org.springframework.security.oauth2.jwt.JwtIssuerValidator;
import org.springframework.security.oauth2.jwt.JwtTimestampValidator;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.security.oauth2.jwt.NimbusJwtEncoder;
import org.springframework.security.oauth2.server.authorization.authentication.OAuth2ClientAuthenticationToken;
import org.springframework.security.oauth2.server.authorization.authentication.OAuth2ClientCredentialsAuthenticationToken;
import org.springframework.security.oauth2.server.authorization.client.RegisteredClient;
import org.springframework.security.oauth2.server.authorization.settings.AuthorizationServerSettings;
import org.springframework.security.oauth2.server.authorization.token.JwtEncodingContext;
import org.springframework.security.oauth2.server.authorization.token.JwtGenerator;
import org.springframework.security.oauth2.server.authorization.web.authentication.OAuth2ClientCredentialsAuthenticationConverter;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.authentication.AuthenticationConverter;
import org.springframework.security.web.context.SecurityContextHolderFilter;

/// The OAuth2 server: Spring's authorization server with our clients, our tokens, and nothing that is not served yet.
@Configuration(proxyBeanMethods = false)
@EnableWebSecurity
class OAuthConfiguration {
    private static final Set<String> SERVED =
            Set.of("POST /oauth2/token", "POST /oauth2/introspect", "POST /oauth2/revoke", "GET /oauth2/jwks");

    @Bean
    JwtEncoder jwtEncoder(JWKSource<SecurityContext> keys) {
        return new NimbusJwtEncoder(keys);
    }

    @Bean
    JwtDecoder jwtDecoder(JWKSource<SecurityContext> keys, AccessSettings settings) {
        NimbusJwtDecoder decoder = NimbusJwtDecoder.withJwkSource(keys)
                .jwsAlgorithm(SignatureAlgorithm.RS256)
                .build();
        // No leeway: these tokens are ours, so is the clock.
        decoder.setJwtValidator(new DelegatingOAuth2TokenValidator<>(
                List.of(new JwtTimestampValidator(Duration.ZERO), new JwtIssuerValidator(settings.issuer()))));
        return decoder;
    }

    @Bean
    PasswordEncoder clientSecretEncoder() {
        return new Secrets.Encoder();
    }

    @Bean
    @Order(1)
    SecurityFilterChain oauthChain(HttpSecurity http, Parts parts, RouteGate.Surroundings surroundings) {
        var generator = new JwtGenerator(parts.encoder);
        generator.setJwtCustomizer(context -> addClaims(context, parts.clients));
        var errors = new OAuthErrors();
        http.securityMatcher(request -> isServed(request, surroundings.workerPort()))
                .oauth2AuthorizationServer(server -> server.registeredClientRepository(parts.clients)
                        .authorizationService(parts.issued)
                        .authorizationServerSettings(parts.settings)
                        .tokenGenerator(generator)
                        .clientAuthentication(client -> client.authenticationConverters(
                                        converters -> converters.addFirst(parts.programs))
                                .authenticationProviders(providers -> providers.addFirst(parts.programs))
                                .errorResponseHandler(errors))
                        .tokenEndpoint(endpoint -> endpoint.accessTokenRequestConverters(converters -> {
                                    converters.addFirst(allScopesWhenNoneAsked());
                                    converters.addFirst(parts.signIns);
                                })
                                .authenticationProviders(providers -> providers.addFirst(parts.signIns))
                                .errorResponseHandler(errors))
                        .tokenIntrospectionEndpoint(endpoint -> endpoint.errorResponseHandler(errors))
                        .tokenRevocationEndpoint(endpoint -> endpoint.errorResponseHandler(errors)))
                .authorizeHttpRequests(requests -> requests.anyRequest().authenticated())
                .exceptionHandling(faults -> faults.authenticationEntryPoint(errors))
                // No cookie and no session: a caller shows a secret with each call, so there is nothing to forge (OWASP
                // CSRF Prevention). The headers come from EdgeFilter, for every answer alike.
                .csrf(AbstractHttpConfigurer::disable)
                .headers(AbstractHttpConfigurer::disable)
                .logout(AbstractHttpConfigurer::disable)
                .requestCache(AbstractHttpConfigurer::disable)
                .anonymous(Customizer.withDefaults())
                .sessionManagement(sessions -> sessions.sessionCreationPolicy(SessionCreationPolicy.STATELESS))
                .addFilterBefore(
                        new TokenThrottleFilter(parts.throttle, parts.log, parts.clients, parts.time),
                        SecurityContextHolderFilter.class);
        return http.build();
    }

    /// What the chain is made of.
    record Parts(
            OAuthClients clients,
            IssuedTokens issued,
            AuthorizationServerSettings settings,
            JwtEncoder encoder,
            PublicClientCheck programs,
            SignInGrant signIns,
            FailureThrottle throttle,
            CallLog log,
            InstantSource time) {}

    /// Not on the worker port: there the gate answers that there is nothing.
    private static boolean isServed(HttpServletRequest request, IntSupplier workerPort) {
        return SERVED.contains(request.getMethod() + " " + request.getRequestURI())
                && request.getLocalPort() != workerPort.getAsInt();
    }

    private static void addClaims(JwtEncodingContext context, OAuthClients clients) {
        RegisteredClient client = context.getRegisteredClient();
        String clientId = client.getClientId();
        User owner = clients.ownerOf(clientId)
                .orElseThrow(() -> new IllegalStateException("client " + clientId + " lost its owner meanwhile"));
        context.getClaims()
                .subject(new Id(Kind.USER, owner.id).toString())
                .claim("client_id", clientId)
                // Of the secret that was shown, even when it is replaced at this moment.
                .claim(Tokens.SECRET_MARK, Secrets.mark(String.valueOf(client.getClientSecret())))
                .claim("role", owner.role)
                .claim("namespace", owner.namespace);
    }

    private static AuthenticationConverter allScopesWhenNoneAsked() {
        var standard = new OAuth2ClientCredentialsAuthenticationConverter();
        return request -> {
            Authentication asked = standard.convert(request);
            if (!(asked instanceof OAuth2ClientCredentialsAuthenticationToken token)
                    || !token.getScopes().isEmpty()) {
                return asked;
            }
            var client = (Authentication) token.getPrincipal();
            return new OAuth2ClientCredentialsAuthenticationToken(
                    client, new TreeSet<>(scopesOf(client)), token.getAdditionalParameters());
        };
    }

    private static Set<String> scopesOf(@Nullable Authentication client) {
        RegisteredClient registered =
                client instanceof OAuth2ClientAuthenticationToken token ? token.getRegisteredClient() : null;
        return registered == null ? Set.of() : registered.getScopes();
    }
}
