package dev.vigil.protocol.identity;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsExchange;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.StringReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.PKCSException;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequest;

/// The API's worker port as far as certificates go, on a real TLS socket: enrols by token, renews by certificate, reads
/// the request with BouncyCastle. Other paths can be added with [#serve].
public final class TestApi implements AutoCloseable {
    private final TestAuthority authority;
    private final HttpsServer server;
    private final Map<String, String> tokens = new ConcurrentHashMap<>();
    private final Map<String, X509Certificate> byKey = new ConcurrentHashMap<>();
    private final Queue<Integer> failures = new ConcurrentLinkedQueue<>();
    private final List<String> subjects = new java.util.concurrent.CopyOnWriteArrayList<>();
    private volatile Duration life = Duration.ofHours(1);

    public TestApi(TestAuthority authority) throws IOException {
        this.authority = authority;
        server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 64);
        Identity identity = authority.service("api");
        server.setHttpsConfigurator(new HttpsConfigurator(authority.tls(identity, Peers.everybody())) {
            @Override
            public void configure(HttpsParameters params) {
                SSLParameters tls = TlsContexts.parameters();
                tls.setWantClientAuth(true);
                params.setSSLParameters(tls);
            }
        });
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/worker/v1/enrol", this::enrol);
        server.createContext("/worker/v1/renew", this::renew);
        server.start();
    }

    public void serve(String path, HttpHandler handler) {
        server.createContext(path, handler);
    }

    public URI uri() {
        return URI.create("https://127.0.0.1:" + server.getAddress().getPort());
    }

    public void token(String token, UUID worker) {
        tokens.put(token, "spiffe://vigil.local/worker/" + worker);
    }

    /// A token that makes its bearer this service.
    public void token(String token, String service) {
        tokens.put(token, "spiffe://vigil.local/service/" + service);
    }

    public void life(Duration certificateLife) {
        life = certificateLife;
    }

    /// The next renewals answer with these: 503 is an outage, 0 issues the certificate and then drops the connection.
    public void fail(int... statuses) {
        for (int status : statuses) {
            failures.add(status);
        }
    }

    public List<String> issued() {
        return subjects;
    }

    /// The worker or service behind a request, by its client certificate.
    public static Optional<SpiffeId> caller(HttpExchange exchange) {
        try {
            return SpiffeId.of(
                    (X509Certificate) ((HttpsExchange) exchange).getSSLSession().getPeerCertificates()[0]);
        } catch (SSLPeerUnverifiedException e) {
            return Optional.empty();
        }
    }

    private void enrol(HttpExchange exchange) throws IOException {
        Map<String, String> body = body(exchange);
        String name = tokens.remove(body.getOrDefault("token", ""));
        if (name == null) {
            problem(exchange, 409, "join_token_used");
            return;
        }
        issue(exchange, body, name);
    }

    private void renew(HttpExchange exchange) throws IOException {
        Optional<SpiffeId> caller = caller(exchange);
        if (caller.isEmpty()) {
            problem(exchange, 401, "certificate_missing");
            return;
        }
        issue(exchange, body(exchange), caller.get().toString());
    }

    private void issue(HttpExchange exchange, Map<String, String> body, String spiffe) throws IOException {
        Integer failure = failures.poll();
        if (failure != null && failure != 0) {
            problem(exchange, failure, "database_unavailable");
            return;
        }
        String csr = body.getOrDefault("csr", "");
        X509Certificate leaf = byKey.computeIfAbsent(csr, fresh -> authority.sign(key(fresh), "leaf", spiffe, life));
        if (failure != null) {
            exchange.close();
            return;
        }
        subjects.add(spiffe);
        String pem;
        try {
            pem = Pem.write(List.of(leaf, authority.certificate()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
        answer(exchange, 201, FlatJson.write(Map.of("worker_id", "wrk_x", "certificate", pem)));
    }

    private static PublicKey key(String csr) {
        try (var parser = new PEMParser(new StringReader(csr))) {
            var request = new JcaPKCS10CertificationRequest(
                    (org.bouncycastle.pkcs.PKCS10CertificationRequest) parser.readObject());
            var verifier = new JcaContentVerifierProviderBuilder().build(request.getPublicKey());
            if (!request.isSignatureValid(verifier)) {
                throw new IllegalStateException("the request does not prove possession of its key");
            }
            return request.getPublicKey();
        } catch (IOException | GeneralSecurityException | OperatorCreationException | PKCSException e) {
            throw new IllegalStateException("BouncyCastle cannot read the request", e);
        }
    }

    private static Map<String, String> body(HttpExchange exchange) throws IOException {
        return FlatJson.strings(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
    }

    public static void problem(HttpExchange exchange, int status, String code) throws IOException {
        answer(exchange, status, FlatJson.write(Map.of("code", code, "detail", "a test says so")));
    }

    public static void answer(HttpExchange exchange, int status, String json) throws IOException {
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
