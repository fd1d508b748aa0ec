package dev.vigil.audit;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.identity.TestApi;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// Stands in for the API as the issuer of access tokens: signs them and publishes its key, over real HTTP.
final class Issuer implements AutoCloseable {
    private final RSAKey key;
    private final HttpServer server;
    private final Set<String> revoked = ConcurrentHashMap.newKeySet();
    private final Map<String, String> roles = new ConcurrentHashMap<>();
    private final AtomicInteger questions = new AtomicInteger();
    private volatile boolean silent;

    Issuer() {
        try {
            key = new RSAKeyGenerator(2048).keyID("one").generate();
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (JOSEException | IOException e) {
            throw new IllegalStateException(e);
        }
        byte[] keys = new JWKSet(key.toPublicJWK()).toString().getBytes(StandardCharsets.UTF_8);
        server.createContext("/oauth2/jwks", exchange -> {
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, keys.length);
            exchange.getResponseBody().write(keys);
            exchange.close();
        });
        server.createContext("/oauth2/standing", this::tellStanding);
        server.start();
    }

    /// What the API answers beside its keys: whether the token that is shown stands, and for which role.
    void tellStanding(HttpExchange exchange) throws IOException {
        if (silent) {
            exchange.close();
            return;
        }
        questions.incrementAndGet();
        String token = exchange.getRequestHeaders().getFirst("Authorization").substring("Bearer ".length());
        String claimed = "";
        try {
            claimed = SignedJWT.parse(token).getJWTClaimsSet().getStringClaim("role");
        } catch (ParseException e) {
            throw new IOException(e);
        }
        String answer = revoked.contains(token)
                ? "{\"active\":false}"
                : "{\"active\":true,\"role\":\"%s\",\"namespace\":1}".formatted(roles.getOrDefault(token, claimed));
        TestApi.answer(exchange, 200, answer);
    }

    /// From now on a token stands no more.
    void revoke(String token) {
        revoked.add(token);
    }

    /// From now on the owner of a token has another role.
    void role(String token, String role) {
        roles.put(token, role);
    }

    /// Whether it answers no question about tokens.
    void silent(boolean now) {
        silent = now;
    }

    /// How often it was asked about a token.
    int questions() {
        return questions.get();
    }

    /// What it publishes, for another place.
    String jwks() {
        return new JWKSet(key.toPublicJWK()).toString();
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /// A token as the API issues it.
    String token(UUID user, String role, String... scopes) {
        return signed(claims(user, role, scopes).build());
    }

    /// What the API writes into a token; a test changes it and signs it.
    @SuppressWarnings("JavaUtilDate")
    JWTClaimsSet.Builder claims(UUID user, String role, String... scopes) {
        return new JWTClaimsSet.Builder()
                .issuer(url())
                .subject(new Id(Kind.USER, user).toString())
                .claim("role", role)
                .claim("namespace", 1)
                .claim("scope", List.of(scopes))
                .issueTime(new Date())
                .expirationTime(Date.from(Instant.now().plusSeconds(300)));
    }

    String signed(JWTClaimsSet claims) {
        return signed(claims, key, null);
    }

    /// A token signed by somebody else who claims to be this issuer.
    String forged(JWTClaimsSet claims) throws JOSEException {
        return signed(claims, new RSAKeyGenerator(2048).keyID("one").generate(), null);
    }

    String typed(JWTClaimsSet claims, String type) {
        return signed(claims, key, type);
    }

    /// The classic confusion: an HMAC whose secret is the public key.
    String hmac(JWTClaimsSet claims) throws JOSEException {
        var jwt = new SignedJWT(
                new JWSHeader.Builder(JWSAlgorithm.HS256).keyID("one").build(), claims);
        jwt.sign(new MACSigner(key.toRSAPublicKey().getEncoded()));
        return jwt.serialize();
    }

    private static String signed(JWTClaimsSet claims, RSAKey key, @Nullable String type) {
        var header = new JWSHeader.Builder(JWSAlgorithm.RS256)
                .keyID("one")
                .type(type == null ? null : new JOSEObjectType(type))
                .build();
        var jwt = new SignedJWT(header, claims);
        try {
            jwt.sign(new RSASSASigner(key));
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
        return jwt.serialize();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
