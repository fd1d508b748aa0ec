package dev.vigil.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.vigil.audit.log.Ledger;
import dev.vigil.postgres.Role;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.identity.Identity;
import dev.vigil.protocol.identity.Peers;
import dev.vigil.protocol.identity.TestApi;
import dev.vigil.protocol.identity.TestAuthority;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.context.ConfigurableApplicationContext;

/// The service with a certificate, as it runs where the network is not to be trusted.
class ServicesOnlyTest {
    private final TestAuthority authority = new TestAuthority();
    private final Issuer issuer = new Issuer();

    @TempDir
    private Path folder;

    private TestApi api;
    private ConfigurableApplicationContext service;
    private String url;
    private int health;

    @BeforeEach
    void a_service_that_the_api_admitted() throws IOException {
        api = new TestApi(authority);
        api.token("join", "audit");
        api.serve("/internal/v1/jwks", exchange -> TestApi.answer(exchange, 200, issuer.jwks()));
        api.serve("/internal/v1/standing", issuer::tellStanding);
        var settings =
                new LinkedHashMap<String, Object>(Ledger.fresh().database().settings(Role.AUDIT));
        health = freePort();
        settings.put("server.port", 0);
        settings.put("management.server.port", health);
        settings.put("vigil.token.issuer", issuer.url());
        settings.put("vigil.audit.signing-key-file", folder.resolve("key.pem"));
        settings.put("vigil.audit.create-signing-key", true);
        settings.put("vigil.audit.api-url", api.uri());
        settings.put("vigil.audit.state-dir", folder.resolve("identity"));
        settings.put("vigil.audit.join-token", "join");
        settings.put("vigil.audit.ca-pin", authority.pin());
        service = AuditService.start(settings);
        url = "https://127.0.0.1:" + service.getEnvironment().getProperty("local.server.port");
    }

    @AfterEach
    void everything_ends() {
        service.close();
        api.close();
        issuer.close();
    }

    @Test
    void services_are_let_in_workers_and_strangers_are_not() throws Exception {
        assertThat(publicKey(authority.service("api"))).isEqualTo(200);
        assertThat(publicKey(authority.service("gdpr"))).isEqualTo(200);

        assertThatThrownBy(() -> publicKey(
                        authority.issue("spiffe://vigil.local/worker/" + UUID.randomUUID(), Duration.ofHours(1))))
                .isInstanceOf(IOException.class);
        assertThatThrownBy(() -> publicKey(new TestAuthority().service("api"))).isInstanceOf(IOException.class);
        assertThat(get(HttpClient.newHttpClient(), url.replace("https", "http") + "/api/v1/audit/public-key", ""))
                .isEqualTo(400);
    }

    @Test
    void tokens_are_checked_with_the_keys_of_the_worker_port() throws Exception {
        HttpClient client = client(authority.service("api"));
        String events = url + "/api/v1/audit/events";

        assertThat(get(client, events, issuer.token(Id.next(Kind.USER).uuid(), "auditor", "audit:read")))
                .isEqualTo(200);
        assertThat(get(client, events, "nonsense")).isEqualTo(401);
    }

    @Test
    void health_has_a_port_of_its_own_without_a_certificate() {
        String readiness = "http://127.0.0.1:" + health + "/readyz";
        await().atMost(Duration.ofSeconds(20)).until(() -> get(HttpClient.newHttpClient(), readiness, "") == 200);
    }

    private int publicKey(Identity caller) throws IOException, InterruptedException {
        return get(client(caller), url + "/api/v1/audit/public-key", "");
    }

    private HttpClient client(Identity caller) {
        return HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .sslContext(authority.tls(caller, Peers.service("audit")))
                .build();
    }

    private static int get(HttpClient client, String url, String token) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(20));
        if (!token.isEmpty()) {
            request.header("Authorization", "Bearer " + token);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
