package dev.vigil.gdpr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.postgres.FreePort;
import dev.vigil.postgres.Role;
import dev.vigil.postgres.TestPostgres;
import dev.vigil.protocol.identity.Identity;
import dev.vigil.protocol.identity.Peers;
import dev.vigil.protocol.identity.TestApi;
import dev.vigil.protocol.identity.TestAuthority;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The privacy service as a process of its own, told everything by environment variables as a container is.
class StartAloneTest {
    @TempDir
    private Path folder;

    @Test
    void it_starts_with_nothing_but_its_environment_and_is_ready_once_the_api_admitted_it() throws Exception {
        var authority = new TestAuthority();
        try (var api = new TestApi(authority)) {
            Path log = folder.resolve("log");
            Process process = start(environment(api, authority), log);
            try {
                await().atMost(Duration.ofSeconds(60))
                        .until(() -> !process.isAlive() || Files.readString(log).contains("Tomcat started on port "));
                assertThat(process.isAlive()).as(Files.readString(log)).isTrue();
                String url = "http://127.0.0.1:"
                        + Files.readString(log).replaceFirst("(?s).*Tomcat started on port ([0-9]+).*", "$1");
                await().atMost(Duration.ofSeconds(30)).until(() -> status(url + "/livez") == 200);
                assertThat(status(url + "/readyz")).isEqualTo(503);

                api.token("join", "gdpr");

                await().atMost(Duration.ofSeconds(30)).until(() -> status(url + "/readyz") == 200);
                assertThat(api.issued()).containsExactly("spiffe://vigil.local/service/gdpr");
                assertThat(status(url + "/api/v1/gdpr/requests")).isEqualTo(401);
            } finally {
                process.destroy();
            }
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void with_tls_its_port_is_for_services_and_health_has_a_port_of_its_own() throws Exception {
        var authority = new TestAuthority();
        try (var api = new TestApi(authority)) {
            api.token("join", "gdpr");
            Map<String, String> environment = environment(api, authority);
            environment.put("VIGIL_GDPR_TLS", "true");
            int health = FreePort.pick();
            environment.put("MANAGEMENT_SERVER_PORT", Integer.toString(health));
            Path log = folder.resolve("log");
            Process process = start(environment, log);
            try {
                await().atMost(Duration.ofSeconds(60))
                        .until(() -> !process.isAlive() || Files.readString(log).contains("Tomcat started on port "));
                assertThat(process.isAlive()).as(Files.readString(log)).isTrue();
                await().atMost(Duration.ofSeconds(30))
                        .until(() -> status("http://127.0.0.1:" + health + "/readyz") == 200);
                String url = "https://127.0.0.1:"
                        + Files.readString(log).replaceFirst("(?s).*Tomcat started on port ([0-9]+).*", "$1")
                        + "/api/v1/gdpr/requests";

                assertThat(status(url, authority.service("api"), authority)).isEqualTo(401);
                assertThat(status(
                                url,
                                authority.issue(
                                        "spiffe://vigil.local/worker/" + UUID.randomUUID(), Duration.ofHours(1)),
                                authority))
                        .isEqualTo(-1);
            } finally {
                process.destroy();
            }
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    private static int status(String url, Identity caller, TestAuthority authority) throws InterruptedException {
        try (HttpClient client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .sslContext(authority.tls(caller, Peers.service("gdpr")))
                .build()) {
            return client.send(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.discarding())
                    .statusCode();
        } catch (IOException refused) {
            return -1;
        }
    }

    private Map<String, String> environment(TestApi api, TestAuthority authority) {
        var environment = new TreeMap<String, String>();
        TestPostgres.freshDatabase()
                .settings(Role.GDPR)
                .forEach((name, value) ->
                        environment.put(name.toUpperCase(Locale.ROOT).replace('.', '_'), value.toString()));
        environment.put("SERVER_PORT", "0");
        environment.put("VIGIL_TOKEN_ISSUER", "http://127.0.0.1:1");
        environment.put("VIGIL_GDPR_API_URL", api.uri().toString());
        environment.put("VIGIL_GDPR_AUDIT_URL", "http://127.0.0.1:1");
        environment.put("VIGIL_GDPR_STATE_DIR", folder.resolve("identity").toString());
        environment.put(
                "VIGIL_GDPR_SIGNING_KEY_FILE", folder.resolve("signing-key.pem").toString());
        environment.put("VIGIL_GDPR_CREATE_SIGNING_KEY", "true");
        environment.put("VIGIL_GDPR_JOIN_TOKEN", "join");
        environment.put("VIGIL_GDPR_CA_PIN", authority.pin());
        return environment;
    }

    private Process start(Map<String, String> environment, Path log) throws IOException {
        var command = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                GdprService.class.getName());
        command.environment().clear();
        command.environment().putAll(environment);
        return command.redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .directory(folder.toFile())
                .start();
    }

    private static int status(String url) {
        try {
            return ((HttpURLConnection) URI.create(url).toURL().openConnection()).getResponseCode();
        } catch (IOException e) {
            return -1;
        }
    }
}
