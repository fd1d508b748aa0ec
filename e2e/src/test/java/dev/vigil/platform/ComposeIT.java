package dev.vigil.platform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.postgres.FreePort;
import dev.vigil.protocol.tree.Checkpoint;
import dev.vigil.protocol.tree.Hash;
import dev.vigil.protocol.tree.InclusionProof;
import dev.vigil.protocol.tree.VerifierKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// docker-compose.yml as its first lines say to use it.
class ComposeIT {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final long BUILD_MINUTES_MAX = 10;
    private static final long COMMAND_MINUTES_MAX = 5;

    @TempDir
    private Path folder;

    private final String project = "vigil-test-" + ProcessHandle.current().pid();

    @Test
    void every_service_is_healthy_runs_a_task_and_proves_it() throws Exception {
        DockerEngine.needed();
        int port = FreePort.pick();
        try {
            compose(port, BUILD_MINUTES_MAX, "build", "--quiet");
            compose(port, COMMAND_MINUTES_MAX, "up", "--wait");

            JsonNode accounts = JSON.readTree(compose(port, COMMAND_MINUTES_MAX, "run", "--rm", "-T", "accounts"));
            String url = accounts.path("url").asString();
            JsonNode client = accounts.path("client");
            VigilClient user = VigilClient.ofClient(
                    url,
                    client.path("client_id").asString(),
                    client.path("client_secret").asString());
            JsonNode login = accounts.path("admin");
            VigilClient admin = VigilClient.ofUser(
                    url,
                    login.path("username").asString(),
                    login.path("password").asString());

            String task = succeeded(user);
            assertThat(sandbox(admin)).isEqualTo("bubblewrap");
            assertProven(admin, task);
        } catch (AssertionError | RuntimeException failure) {
            System.out.println(compose(port, COMMAND_MINUTES_MAX, "logs", "--no-color", "--tail", "60"));
            throw failure;
        } finally {
            compose(port, COMMAND_MINUTES_MAX, "down", "--volumes", "--timeout", "5");
        }
    }

    private static String succeeded(VigilClient user) {
        String task = user.post(
                        "/api/v1/tasks",
                        Map.of(
                                "name",
                                "checksum in a container",
                                "handler",
                                "files.checksum",
                                "schedule",
                                Map.of("type", "one_time"),
                                "payload",
                                Map.of("folder", "contracts")))
                .expect(201)
                .path("id")
                .asString();
        await().atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThat(user.get("/api/v1/executions?task_id=" + task)
                                .expect(200)
                                .path("items")
                                .path(0)
                                .path("state")
                                .asString())
                        .isEqualTo("succeeded"));
        return task;
    }

    private static String sandbox(VigilClient admin) {
        return admin.get("/api/v1/workers")
                .expect(200)
                .path("items")
                .path(0)
                .path("sandbox")
                .asString();
    }

    private static void assertProven(VigilClient admin, String task) {
        String query = "/api/v1/audit/events?event_type=task_execution&action=execute&task_id=" + task;
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() ->
                        assertThat(admin.get(query).expect(200).path("items")).isNotEmpty());
        String event =
                admin.get(query).expect(200).path("items").path(0).path("id").asString();
        JsonNode proof = admin.get("/api/v1/audit/events/" + event + "/proof").expect(200);
        VerifierKey key = VerifierKey.parse(
                        admin.get("/api/v1/audit/public-key").text().strip())
                .orElseThrow();
        var opened = Checkpoint.open(proof.path("checkpoint").asString().getBytes(StandardCharsets.UTF_8), key);
        assertThat(opened).isInstanceOf(Checkpoint.Opened.Verified.class);
        List<Hash> path = proof.path("path")
                .valueStream()
                .map(hash -> Hash.of(Base64.getDecoder().decode(hash.asString())))
                .toList();
        var inclusion = new InclusionProof(
                proof.path("index").asLong(), proof.path("tree_size").asLong(), path);
        Hash leaf = Hash.leaf(Base64.getDecoder().decode(proof.path("leaf").asString()));
        assertThat(inclusion.proves(
                        leaf, ((Checkpoint.Opened.Verified) opened).checkpoint().head()))
                .isTrue();
    }

    /// Runs docker compose for this test's project; what it printed on its standard output.
    private String compose(int port, long minutesMax, String... words) throws IOException, InterruptedException {
        var line = new ArrayList<>(List.of("docker", "compose", "--project-name", project));
        line.addAll(List.of(words));
        var command = new ProcessBuilder(line).directory(ROOT.toFile());
        command.environment().put("VIGIL_PORT", Integer.toString(port));
        Path output = folder.resolve("out");
        Path errors = folder.resolve("err");
        Process process = command.redirectOutput(output.toFile())
                .redirectError(errors.toFile())
                .start();
        if (!process.waitFor(minutesMax, TimeUnit.MINUTES)) {
            process.destroy();
            throw new IllegalStateException(String.join(" ", line) + " took longer than " + minutesMax + " minutes: "
                    + Files.readString(errors));
        }
        assertThat(process.exitValue())
                .as(String.join(" ", line) + ": " + Files.readString(errors))
                .isZero();
        return Files.readString(output);
    }
}
