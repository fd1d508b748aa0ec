package dev.vigil.api.gateway;

import dev.vigil.api.vault.WorkerPortIdentity;
import dev.vigil.protocol.identity.Peers;
import dev.vigil.protocol.identity.TlsContexts;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// How this node calls another service: by `https` with its own certificate, and only if the other end is the service
/// of that name; by `http` as it is, which must not leave the machine. Thread-safe.
final class UpstreamClient {
    private static final Duration CONNECT_WAIT = Duration.ofSeconds(2);

    private final boolean tls;
    private final Peers expected;
    private final WorkerPortIdentity identity;
    private volatile @Nullable Client newest;

    /// @param service its name in its certificate
    /// @param url     where it is
    UpstreamClient(String service, URI url, WorkerPortIdentity identity) {
        this.tls = "https".equals(url.getScheme());
        this.expected = Peers.service(service);
        this.identity = identity;
    }

    private record Client(HttpClient http, Instant until) {}

    /// Shows the newest certificate on the connections that it opens.
    HttpClient http() {
        Client client = newest;
        Instant until = tls ? identity.renewAfter() : Instant.MAX;
        if (client == null || !client.until().equals(until)) {
            HttpClient.Builder builder = HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(CONNECT_WAIT)
                    .followRedirects(HttpClient.Redirect.NEVER);
            if (tls) {
                builder.sslContext(identity.clientTls(expected)).sslParameters(TlsContexts.parameters());
                until = identity.renewAfter();
            }
            client = new Client(builder.build(), until);
            newest = client;
        }
        return client.http();
    }
}
