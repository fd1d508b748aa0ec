package dev.vigil.api.access;

import dev.vigil.api.web.Authenticator;
import dev.vigil.api.web.Caller;
import dev.vigil.api.web.Role;
import dev.vigil.api.web.Scope;
import dev.vigil.api.web.TokenMint;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.jwt.JwsHeader;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtClaimsSet;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtEncoder;
import org.springframework.security.oauth2.jwt.JwtEncoderParameters;
import org.springframework.security.oauth2.jwt.JwtException;

/// Access tokens: signs those of sign-ins, and recognises all of them. A token is only the way to its owner: role,
/// namespace and permissions are the row's, now.
final class Tokens implements Authenticator, TokenMint {
    private static final int TOKEN_LENGTH_MAX = 8192;
    private static final int REMEMBERED_MAX = 10_000;
    private static final Duration SERVICE_LIFE_MAX = Duration.ofMinutes(10);
    private static final long REMEMBERED_NANOS = 60_000_000_000L;

    private final JwtEncoder encoder;
    private final JwtDecoder decoder;
    private final Sources sources;
    private final AccessSettings settings;
    private final Map<ByteBuffer, Remembered> remembered = new ConcurrentHashMap<>();

    /// What a token is checked against.
    record Sources(
            UserRows users,
            Namespaces namespaces,
            Revocations revocations,
            Revisions revisions,
            RowSigner signer,
            InstantSource time) {}

    /// A caller whose token was verified a moment ago.
    private record Remembered(Caller caller, Instant expiresAt, long verifiedAt, long generation) {}

    Tokens(JwtEncoder encoder, JwtDecoder decoder, Sources sources, AccessSettings settings) {
        this.encoder = encoder;
        this.decoder = decoder;
        this.sources = sources;
        this.settings = settings;
    }

    /// Signs an access token of a sign-in.
    String issue(User user, UUID session) {
        Instant now = sources.time.instant();
        return sign(JwtClaimsSet.builder()
                .issuer(settings.issuer())
                .subject(new Id(Kind.USER, user.id).toString())
                .id(UUID.randomUUID().toString())
                .issuedAt(now)
                .expiresAt(now.plus(settings.tokenLife()))
                .claim("sid", session.toString())
                .claim("client_id", "vigil")
                .claim("role", user.role)
                .claim("namespace", user.namespace)
                .claim(
                        "scope",
                        Grants.scopesOf(user.role()).stream().map(Scope::label).toList())
                .build());
    }

    @Override
    public String ofService(String service, Role role, Scope scope, Duration life) {
        if (life.compareTo(SERVICE_LIFE_MAX) > 0) {
            throw new IllegalArgumentException(
                    "token of service " + service + " asked for " + life + "; use at most " + SERVICE_LIFE_MAX);
        }
        Instant now = sources.time.instant();
        String name = "service/" + service;
        return sign(JwtClaimsSet.builder()
                .issuer(settings.issuer())
                .subject(new Id(Kind.USER, UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8))).toString())
                .id(UUID.randomUUID().toString())
                .issuedAt(now)
                .expiresAt(now.plus(life))
                .claim("client_id", name)
                .claim("role", role.label())
                .claim("namespace", Namespace.DEFAULT)
                .claim("scope", List.of(scope.label()))
                .build());
    }

    private String sign(JwtClaimsSet claims) {
        JwsHeader header = JwsHeader.with(SignatureAlgorithm.RS256).build();
        return encoder.encode(JwtEncoderParameters.from(header, claims)).getTokenValue();
    }

    Duration life() {
        return settings.tokenLife();
    }

    @Override
    public Outcome authenticate(String bearer) {
        if (bearer.isEmpty() || bearer.length() > TOKEN_LENGTH_MAX) {
            return new Outcome.Refused();
        }
        ByteBuffer key = ByteBuffer.wrap(Secrets.hash(bearer));
        Remembered known = remembered.get(key);
        if (known != null
                && System.nanoTime() - known.verifiedAt < REMEMBERED_NANOS
                && sources.time.instant().isBefore(known.expiresAt)
                && known.generation == sources.revisions.generation()
                && sources.revisions.fresh()) {
            return new Outcome.Known(known.caller);
        }
        long verifiedAt = System.nanoTime();
        // Read before the rows: a change in between makes what is remembered unusable, not stale.
        long generation = sources.revisions.generation();
        Optional<Jwt> jwt = verify(bearer);
        Caller caller = jwt.map(this::callerOf).orElse(null);
        if (jwt.isEmpty() || caller == null) {
            remembered.remove(key);
            return new Outcome.Refused();
        }
        if (remembered.size() >= REMEMBERED_MAX) {
            remembered.clear();
        }
        Instant expiresAt = jwt.get().getExpiresAt();
        if (expiresAt != null) {
            remembered.put(key, new Remembered(caller, expiresAt, verifiedAt, generation));
        }
        return new Outcome.Known(caller);
    }

    /// A token of ours that is intact and not over; it may still be revoked.
    Optional<Jwt> verify(String token) {
        try {
            return Optional.of(decoder.decode(token));
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
        if (id.isEmpty() || token == null || sources.revocations.isRevoked(token, session)) {
            return null;
        }
        User user = sources.users
                .findPresent(id.get())
                .filter(User::isActive)
                .filter(sources.signer::signed)
                .orElse(null);
        if (user == null) {
            return null;
        }
        return new Caller(
                user.id,
                user.username,
                user.role(),
                user.namespace,
                sources.namespaces.nameOf(user.namespace),
                scopes(jwt),
                user.permissions(),
                user.requestsPerMinute == null ? settings.requestsPerMinute() : user.requestsPerMinute,
                token,
                session);
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
