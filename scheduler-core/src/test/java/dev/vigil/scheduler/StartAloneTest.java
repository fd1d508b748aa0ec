package dev.vigil.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.postgres.Role;
import dev.vigil.postgres.TestPostgres;
import dev.vigil.protocol.identity.TestApi;
import dev.vigil.protocol.identity.TestAuthority;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A core as a process of its own, told everything by environment variables as a container is.
class StartAloneTest {
    @TempDir
    private Path folder;

    @Test
    void a_core_starts_with_nothing_but_its_environment_and_answers_whether_it_is_ready() throws Exception {
        var authority = new TestAuthority();
        try (var api = new TestApi(authority)) {
            api.token("join", "core");
            Path log = folder.resolve("log");
            Process process = start(environment(api, authority), log);
            try {
                await().atMost(Duration.ofSeconds(60))
                        .until(() -> !process.isAlive() || Files.readString(log).contains("event=core_started"));
                assertThat(process.isAlive()).as(Files.readString(log)).isTrue();
                String health =
                        "http://127.0.0.1:" + Files.readString(log).replaceFirst("(?s).*health_port=([0-9]+).*", "$1");
                await().atMost(Duration.ofSeconds(30)).until(() -> status(health + "/readyz") == 200);

                assertThat(status(health + "/livez")).isEqualTo(200);
                assertThat(status(health + "/metrics")).isEqualTo(404);
                assertThat(api.issued()).containsExactly("spiffe://vigil.local/service/core");
            } finally {
                process.destroy();
            }
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void without_a_certificate_or_an_invitation_it_says_what_it_needs_and_ends() throws Exception {
        var authority = new TestAuthority();
        try (var api = new TestApi(authority)) {
            Map<String, String> environment = environment(api, authority);
            environment.remove("VIGIL_CORE_JOIN_TOKEN");
            Path log = folder.resolve("log");

            Process process = start(environment, log);

            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isNotZero();
            assertThat(Files.readString(log)).contains("no join token with CA pin");
        }
    }

    private Map<String, String> environment(TestApi api, TestAuthority authority) {
        var environment = new TreeMap<String, String>();
        TestPostgres.freshDatabase()
                .settings(Role.CORE)
                .forEach((name, value) ->
                        environment.put(name.toUpperCase(Locale.ROOT).replace('.', '_'), value.toString()));
        environment.put("VIGIL_CORE_NAME", "core-alone");
        environment.put("VIGIL_CORE_STATE_DIR", folder.resolve("identity").toString());
        environment.put("VIGIL_CORE_API_URL", api.uri().toString());
        environment.put("VIGIL_CORE_JOIN_TOKEN", "join");
        environment.put("VIGIL_CORE_CA_PIN", authority.pin());
        return environment;
    }

    private Process start(Map<String, String> environment, Path log) throws IOException {
        var command = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                CoreService.class.getName());
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
