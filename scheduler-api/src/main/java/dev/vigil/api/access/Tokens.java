package dev.vigil.api.access;

import dev.vigil.api.web.Caller;
import dev.vigil.api.web.Role;
import dev.vigil.api.web.Scope;
import dev.vigil.api.web.TokenMint;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.jwt.JwsHeader;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtClaimsSet;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtEncoder;
import org.springframework.security.oauth2.jwt.JwtEncoderParameters;
import org.springframework.security.oauth2.jwt.JwtException;

/// Access tokens: signs those of sign-ins, and verifies all of them. A token, or an API key, is only the way to its
/// owner: role, namespace and permissions are the row's, now.
final class Tokens implements TokenMint {
    /// The claim with [Secrets#mark], in tokens of clients.
    static final String SECRET_MARK = "secret_mark";

    /// No access token outlives this, so neither needs its revocation to.
    static final Duration LIFE_MAX = Duration.ofDays(1);

    /// How the clients of tokens begin that services have of their own.
    private static final String SERVICE = "service/";

    private static final Duration SERVICE_LIFE_MAX = Duration.ofMinutes(10);

    private final JwtEncoder encoder;
    private final JwtDecoder decoder;
    private final Sources sources;
    private final AccessSettings settings;

    /// What a token is checked against.
    record Sources(
            UserRows users, Namespaces namespaces, Revocations revocations, RowSigner signer, InstantSource time) {}

    Tokens(JwtEncoder encoder, JwtDecoder decoder, Sources sources, AccessSettings settings) {
        this.encoder = encoder;
        this.decoder = decoder;
        this.sources = sources;
        this.settings = settings;
    }

    /// Signs an access token of somebody who signed in for himself.
    String issue(User user, UUID session) {
        List<String> all =
                Grants.scopesOf(user.role()).stream().map(Scope::label).toList();
        return issue(user, session, new Consent("vigil", all));
    }

    /// Signs an access token of a sign-in that was granted to a program: for what was granted, as far as the person
    /// still has it.
    String issue(User user, UUID session, Consent consent) {
        Set<String> own =
                Grants.scopesOf(user.role()).stream().map(Scope::label).collect(Collectors.toSet());
        Instant now = sources.time.instant();
        return sign(JwtClaimsSet.builder()
                .issuer(settings.issuer())
                .subject(new Id(Kind.USER, user.id).toString())
                .id(UUID.randomUUID().toString())
                .issuedAt(now)
                .expiresAt(now.plus(settings.tokenLife()))
                .claim("sid", session.toString())
                .claim("client_id", consent.client())
                .claim("role", user.role)
                .claim("namespace", user.namespace)
                .claim("scope", consent.scopes().stream().filter(own::contains).toList())
                .build());
    }

    /// Signs an id token: who signed in, when, and for whom. It opens nothing here: see [#verify].
    String idToken(User user, AuthorizationCodes.Granted code) {
        Instant now = sources.time.instant();
        JwtClaimsSet.Builder claims = JwtClaimsSet.builder()
                .issuer(settings.issuer())
                .subject(new Id(Kind.USER, user.id).toString())
                .audience(List.of(code.consent().client()))
                .issuedAt(now)
                .expiresAt(now.plus(settings.tokenLife()))
                .claim("auth_time", code.signedIn().getEpochSecond())
                .claim("sid", code.family().toString())
                .claim("preferred_username", user.username);
        if (!code.nonce().isEmpty()) {
            claims.claim("nonce", code.nonce());
        }
        return sign(claims.build());
    }

    @Override
    public String ofService(String service, Role role, Scope scope, Duration life) {
        Instant now = passedOn(life);
        String name = SERVICE + service;
        return sign(JwtClaimsSet.builder()
                .issuer(settings.issuer())
                .subject(subjectOf(name))
                .id(UUID.randomUUID().toString())
                .issuedAt(now)
                .expiresAt(now.plus(life))
                .claim("client_id", name)
                .claim("role", role.label())
                .claim("namespace", Namespace.DEFAULT)
                .claim("scope", List.of(scope.label()))
                .build());
    }

    /// No user's: their ids are UUIDs of version 7.
    private static String subjectOf(String service) {
        return new Id(Kind.USER, UUID.nameUUIDFromBytes(service.getBytes(StandardCharsets.UTF_8))).toString();
    }

    @Override
    public String ofCaller(Caller caller, Duration life) {
        Instant now = passedOn(life);
        return sign(JwtClaimsSet.builder()
                .issuer(settings.issuer())
                .subject(new Id(Kind.USER, caller.id()).toString())
                .id(UUID.randomUUID().toString())
                .issuedAt(now)
                .expiresAt(now.plus(life))
                .claim("client_id", caller.token())
                .claim("role", caller.role().label())
                .claim("namespace", caller.namespace())
                .claim("scope", caller.scopes().stream().map(Scope::label).toList())
                .build());
    }

    private Instant passedOn(Duration life) {
        if (life.compareTo(SERVICE_LIFE_MAX) > 0) {
            throw new IllegalArgumentException(
                    "a token for a call between services asked for " + life + "; use at most " + SERVICE_LIFE_MAX);
        }
        return sources.time.instant();
    }

    private String sign(JwtClaimsSet claims) {
        JwsHeader header = JwsHeader.with(SignatureAlgorithm.RS256).build();
        return encoder.encode(JwtEncoderParameters.from(header, claims)).getTokenValue();
    }

    Duration life() {
        return settings.tokenLife();
    }

    /// A token of ours that is intact and not over; it may still be revoked.
    Optional<Jwt> verify(String token) {
        try {
            // An id token is signed by the same key, but only tells a program who signed in: it has no client_id.
            return Optional.of(decoder.decode(token)).filter(jwt -> jwt.hasClaim("client_id"));
        } catch (JwtException e) {
            return Optional.empty();
        }
    }

    /// Who a verified token belongs to; null when it is revoked or its owner may not call.
    @Nullable Caller callerOf(Jwt jwt) {
        Optional<UUID> id = Optional.ofNullable(jwt.getSubject())
                .flatMap(subject -> Id.parse(Kind.USER, subject))
                .map(Id::uuid);
        String token = jwt.getId();
        String session = jwt.getClaimAsString("sid");
        if (id.isEmpty() || token == null) {
            return null;
        }
        List<String> endings = Stream.of(token, session, jwt.getClaimAsString(SECRET_MARK))
                .filter(Objects::nonNull)
                .toList();
        if (sources.revocations.isRevoked(endings)) {
            return null;
        }
        return caller(id.get(), scopes(jwt), new Shown(token, session, null));
    }

    /// What the owner of a token is now.
    ///
    /// @param namespace number of the namespace he lives in
    record Standing(Role role, int namespace) {}

    /// What a verified token stands for; empty when it is revoked or its owner may not call. A service's own token
    /// stands as it was signed, until its end.
    Optional<Standing> standingOf(Jwt jwt) {
        String client = String.valueOf(jwt.getClaimAsString("client_id"));
        if (client.startsWith(SERVICE) && subjectOf(client).equals(jwt.getSubject())) {
            return Role.of(String.valueOf(jwt.getClaimAsString("role")))
                    .map(role -> new Standing(role, Namespace.DEFAULT));
        }
        return Optional.ofNullable(callerOf(jwt)).map(caller -> new Standing(caller.role(), caller.namespace()));
    }

    /// Who a key belongs to; null when he may not call.
    @Nullable Caller callerOf(ApiKey key, Set<Scope> scopes) {
        var shown = new Shown(key.publicId(), null, key);
        return caller(key.owner(), scopes, shown);
    }

    /// What was shown.
    ///
    /// @param id      of the token or key
    /// @param session the sign-in it stems from, if any
    /// @param key     null for a token
    private record Shown(
            String id, @Nullable String session, @Nullable ApiKey key) {}

    private @Nullable Caller caller(UUID id, Set<Scope> scopes, Shown shown) {
        User user = sources.users
                .findPresent(id)
                .filter(User::isActive)
                .filter(sources.signer::signed)
                .orElse(null);
        if (user == null) {
            return null;
        }
        ApiKey key = shown.key;
        return new Caller(
                user.id,
                user.username,
                user.role(),
                user.namespace,
                sources.namespaces.nameOf(user.namespace),
                scopes,
                user.permissions(),
                user.requestsPerMinute == null ? settings.requestsPerMinute() : user.requestsPerMinute,
                shown.id,
                shown.session,
                key == null
                        ? null
                        : new Caller.Key(key.id(), key.terms().test(), sources.namespaces.isSandbox(user.namespace)));
    }

    private static Set<Scope> scopes(Jwt jwt) {
        Set<Scope> scopes = EnumSet.noneOf(Scope.class);
        List<String> labels = jwt.getClaimAsStringList("scope");
        if (labels != null) {
            labels.forEach(label -> Scope.of(label).ifPresent(scopes::add));
        }
        return scopes;
    }
}
