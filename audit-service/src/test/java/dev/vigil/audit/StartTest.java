package dev.vigil.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.vigil.audit.log.Ledger;
import dev.vigil.postgres.Database;
import dev.vigil.postgres.Role;
import dev.vigil.postgres.TestPostgres;
import java.io.File;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// How the service starts, and what it says when it cannot.
class StartTest {
    @TempDir
    private Path folder;

    @Test
    void it_starts_as_a_process_of_its_own_with_nothing_but_its_settings() throws Exception {
        Map<String, Object> settings = settings(TestPostgres.freshDatabase());
        Path log = folder.resolve("log");
        var command = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                AuditService.class.getName());
        settings.forEach((name, value) -> command.command().add("--" + name + "=" + value));
        Process process = command.redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .directory(folder.toFile())
                .start();
        try {
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> !process.isAlive() || Files.readString(log).contains("Tomcat started on port "));
            String port = Files.readString(log).replaceFirst("(?s).*Tomcat started on port ([0-9]+).*", "$1");
            await().atMost(Duration.ofSeconds(30)).until(() -> status("http://127.0.0.1:" + port + "/readyz") == 200);
            assertThat(status("http://127.0.0.1:" + port + "/api/v1/audit/public-key"))
                    .isEqualTo(200);
        } finally {
            process.destroy();
        }
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void a_schema_that_nobody_made_is_said_to_be_missing() {
        Map<String, Object> settings = settings(TestPostgres.freshDatabase());
        settings.keySet().removeIf(name -> name.startsWith("vigil.database.migration"));

        assertThatThrownBy(() -> AuditService.start(settings))
                .rootCause()
                .hasMessageContaining("the schema audit is not in this database; start once with");
    }

    @Test
    void a_setting_that_does_not_exist_stops_the_start() {
        Map<String, Object> settings = settings(Ledger.fresh().database());
        settings.put("vigil.audit.orign", "x");

        assertThatThrownBy(() -> AuditService.start(settings)).rootCause().hasMessageContaining("vigil.audit.orign");
    }

    @Test
    void a_missing_issuer_or_database_is_named() {
        Map<String, Object> settings = settings(Ledger.fresh().database());
        settings.remove("vigil.token.issuer");
        assertThatThrownBy(() -> AuditService.start(settings))
                .rootCause()
                .hasMessageContaining("vigil.token.issuer is missing");
        assertThatThrownBy(() -> AuditService.start(Map.of("vigil.token.issuer", "http://127.0.0.1:1")))
                .rootCause()
                .hasMessageContaining("vigil.database.url");
    }

    @Test
    void a_signing_key_that_is_absent_open_to_others_or_no_key_is_refused() throws IOException {
        Map<String, Object> settings = settings(Ledger.fresh().database());
        settings.put("vigil.audit.create-signing-key", false);
        assertThatThrownBy(() -> AuditService.start(settings))
                .rootCause()
                .hasMessageContaining("does not exist")
                .hasMessageContaining("vigil.audit.create-signing-key=true");

        File file = Files.writeString(folder.resolve("key.pem"), "-----BEGIN nothing-----")
                .toFile();
        Files.setPosixFilePermissions(file.toPath(), PosixFilePermissions.fromString("rw-r-----"));
        assertThatThrownBy(() -> AuditService.start(settings))
                .rootCause()
                .hasMessageContaining("rw-r-----")
                .hasMessageContaining("chmod 600");

        Files.setPosixFilePermissions(file.toPath(), PosixFilePermissions.fromString("rw-------"));
        assertThatThrownBy(() -> AuditService.start(settings))
                .hasStackTraceContaining("holds no ED25519 key pair in PEM");
    }

    private Map<String, Object> settings(Database database) {
        var settings = new LinkedHashMap<String, Object>(database.settings(Role.AUDIT));
        settings.put("server.port", 0);
        settings.put("vigil.token.issuer", "http://127.0.0.1:1");
        settings.put("vigil.audit.signing-key-file", folder.resolve("key.pem"));
        settings.put("vigil.audit.create-signing-key", true);
        return settings;
    }

    private static int status(String url) {
        try {
            return ((HttpURLConnection) URI.create(url).toURL().openConnection()).getResponseCode();
        } catch (IOException e) {
            return -1;
        }
    }
}
