package dev.vigil.agent.link;

import dev.vigil.agent.handler.Handler;
import dev.vigil.agent.handler.Runner;
import dev.vigil.protocol.identity.Identity;
import dev.vigil.protocol.identity.IdentityKeeper;
import dev.vigil.protocol.identity.Peers;
import dev.vigil.protocol.identity.TlsContexts;
import dev.vigil.protocol.link.SessionTerms;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.UUID;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Asks a core for a session and opens the TLS connection that goes with it. Blocking; called on threads of its
/// own.
final class Dialer {
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final int ANSWER_BYTES_MAX = 64 * 1024;
    private static final JsonMapper JSON = new JsonMapper();

    private final IdentityKeeper keeper;
    private final UUID boot;
    private final Runner runner;
    private final String version;

    Dialer(IdentityKeeper keeper, UUID boot, Runner runner, String version) {
        this.keeper = keeper;
        this.boot = boot;
        this.runner = runner;
        this.version = version;
    }

    /// A session and an open TLS connection, made with one and the same certificate.
    ///
    /// @param secure the TLS socket
    /// @param raw    the TCP socket below it
    record Line(CoreSession session, SSLSocket secure, Socket raw) {}

    /// The core does not admit this worker.
    static final class NotAdmittedException extends IOException {
        private static final long serialVersionUID = 1;

        NotAdmittedException(String message) {
            super(message);
        }
    }

    Line dial(CoreAddress core) throws IOException, InterruptedException {
        // Both calls take one context: a renewal in between would show the link another certificate than the session
        // was asked for with.
        Identity identity = keeper.current();
        SSLContext tls = keeper.clientTls(identity, Peers.service("core"));
        CoreSession session = ask(core, identity, tls);
        var raw = new Socket();
        try {
            raw.connect(session.endpoint(), (int) PATIENCE.toMillis());
            raw.setTcpNoDelay(true);
            raw.setSoTimeout((int) PATIENCE.toMillis());
            var secure = (SSLSocket)
                    tls.getSocketFactory().createSocket(raw, session.endpoint().getHostString(), raw.getPort(), true);
            secure.setSSLParameters(TlsContexts.parameters());
            secure.startHandshake();
            raw.setSoTimeout(0);
            return new Line(session, secure, raw);
        } catch (IOException e) {
            raw.close();
            throw e;
        }
    }

    private CoreSession ask(CoreAddress core, Identity identity, SSLContext tls)
            throws IOException, InterruptedException {
        var body = JSON.createObjectNode()
                .put("protocol", 1)
                .put("boot", boot.toString())
                .put("slots", runner.slots())
                .put("sandbox", runner.sandbox().kind())
                .put("limits", runner.sandbox().limits())
                .put("version", version);
        var handlers = body.putArray("handlers");
        runner.handlers().stream().map(Handler::name).distinct().forEach(handlers::add);
        var request = HttpRequest.newBuilder(core.sessionUrl().resolve("/worker/v1/sessions"))
                .timeout(PATIENCE)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
                .build();
        try (HttpClient client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(PATIENCE)
                .sslContext(tls)
                .sslParameters(TlsContexts.parameters())
                .build()) {
            HttpResponse<byte[]> answer =
                    client.send(request, BodyHandlers.limiting(BodyHandlers.ofByteArray(), ANSWER_BYTES_MAX));
            return session(identity, answer);
        }
    }

    private CoreSession session(Identity identity, HttpResponse<byte[]> answer) throws IOException {
        if (answer.statusCode() == 403 || answer.statusCode() == 401) {
            throw new NotAdmittedException("the core answered " + answer.statusCode() + " to the session request");
        }
        if (answer.statusCode() != 201) {
            throw new IOException("the core answered " + answer.statusCode() + " to the session request");
        }
        try {
            JsonNode json = JSON.readTree(answer.body());
            var terms = new SessionTerms(
                    identity.id().worker().orElseThrow(() -> new IOException("this certificate is not a worker's")),
                    boot,
                    UUID.fromString(json.path("incarnation").asString()),
                    Long.parseUnsignedLong(json.path("session").asString()),
                    json.path("carrier").asString(),
                    identity.fingerprint());
            if (!terms.carrier().equals("tls")) {
                throw new IOException("the core offers carrier " + terms.carrier() + "; this agent speaks tls");
            }
            String endpoint = json.path("endpoint").asString();
            int colon = endpoint.lastIndexOf(':');
            return new CoreSession(
                    terms,
                    Base64.getDecoder().decode(json.path("secret").asString()),
                    new InetSocketAddress(
                            endpoint.substring(0, colon), Integer.parseInt(endpoint.substring(colon + 1))),
                    Instant.parse(json.path("expires_at").asString()),
                    identity.certificate());
        } catch (JacksonException | IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new IOException("the core's session answer cannot be read", e);
        }
    }
}
