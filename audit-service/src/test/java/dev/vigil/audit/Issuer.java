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
import com.sun.net.httpserver.HttpServer;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Stands in for the API as the issuer of access tokens: signs them and publishes its key, over real HTTP.
final class Issuer implements AutoCloseable {
    private final RSAKey key;
    private final HttpServer server;

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
        server.start();
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
