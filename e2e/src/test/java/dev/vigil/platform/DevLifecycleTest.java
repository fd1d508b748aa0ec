package dev.vigil.platform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// `./vigil dev` and `./vigil stop` as a user runs them: processes, not classes.
class DevLifecycleTest {
    @TempDir
    private Path folder;

    @Test
    void two_run_beside_each_other_and_each_is_stopped_alone() throws Exception {
        var vigil = new Launcher(folder);
        try (Running first = vigil.dev(folder.resolve("first"));
                Running second = vigil.dev(folder.resolve("second"))) {
            JsonNode ready = first.awaitReady();
            JsonNode other = second.awaitReady();
            assertThat(ready.path("url").asString())
                    .isNotEqualTo(other.path("url").asString());
            assertIsAsTheContractSays(ready, first);
            assertListensOnLoopbackOnly(first.processes());

            Launcher.Answer again = vigil.run("dev", "--data", first.data().toString(), "--port", "0");
            assertThat(again.status()).isEqualTo(1);
            assertThat(again.output()).contains("another Vigil runs on " + first.data(), "vigil stop");

            List<ProcessHandle> ofFirst = first.processes();
            Launcher.Answer stopped = vigil.run("stop", "--data", first.data().toString());
            assertThat(stopped.status()).isZero();
            assertThat(ofFirst).noneMatch(ProcessHandle::isAlive);
            assertThat(first.readyFile()).doesNotExist();

            second.noted("worker-1").orElseThrow().destroyForcibly();
            assertThat(echo(other))
                    .as("a worker that was killed is started again")
                    .isEqualTo("succeeded");
            List<ProcessHandle> ofSecond = second.processes();
            interrupt(second.process());
            Running.awaitEnd(ofSecond);
            assertThat(second.readyFile()).doesNotExist();
        }
    }

    @Test
    void after_a_kill_all_of_it_ends_and_a_start_half_a_second_later_goes_on() throws Exception {
        var vigil = new Launcher(folder);
        Path data = folder.resolve("data");
        List<ProcessHandle> killed;
        JsonNode before;
        try (Running running = vigil.dev(data)) {
            before = running.awaitReady();
            killed = running.processes();
            ProcessHandle.of(before.path("pid").asLong()).orElseThrow().destroyForcibly();
            await().pollDelay(Duration.ofMillis(500)).until(() -> true);
        }
        try (Running running = vigil.dev(data)) {
            JsonNode after = running.awaitReady();

            assertThat(killed).noneMatch(ProcessHandle::isAlive);
            assertThat(after.path("pid").asLong())
                    .isNotEqualTo(before.path("pid").asLong());
            assertThat(after.path("admin")).isEqualTo(before.path("admin"));
            assertThat(after.path("client")).isEqualTo(before.path("client"));
            assertThat(echo(after)).isEqualTo("succeeded");
        }
    }

    /// Runs one task and returns the state its execution ended in.
    private static String echo(JsonNode ready) {
        VigilClient client = Running.client(ready);
        JsonNode task = client.post(
                        "/api/v1/tasks",
                        Map.of(
                                "name",
                                "hello",
                                "handler",
                                "demo.echo",
                                "schedule",
                                Map.of("type", "one_time"),
                                "payload",
                                Map.of("hello", "world")))
                .expect(201);
        String executions = "/api/v1/executions?task_id=" + task.path("id").asString();
        return await().atMost(Duration.ofSeconds(30))
                .until(
                        () -> client.get(executions)
                                .expect(200)
                                .path("items")
                                .path(0)
                                .path("state")
                                .asString(""),
                        state -> List.of("succeeded", "failed", "timed_out").contains(state));
    }

    private static void assertIsAsTheContractSays(JsonNode ready, Running running) throws Exception {
        assertThat(ready.propertyNames())
                .containsExactlyInAnyOrder(
                        "url",
                        "audit_url",
                        "gdpr_url",
                        "worker_url",
                        "management_url",
                        "admin",
                        "client",
                        "ca_cert",
                        "postgres",
                        "pid");
        assertThat(ready.path("url").asString()).matches("http://127\\.0\\.0\\.1:\\d+");
        assertThat(ready.path("worker_url").asString()).matches("https://127\\.0\\.0\\.1:\\d+");
        assertThat(ready.path("admin").propertyNames()).containsExactly("username", "password");
        assertThat(ready.path("client").propertyNames()).containsExactly("client_id", "client_secret");
        assertThat(ready.path("postgres").propertyNames())
                .containsExactlyInAnyOrder("host", "port", "database", "owner", "password");
        assertThat(Path.of(ready.path("ca_cert").asString())).content().startsWith("-----BEGIN CERTIFICATE-----");
        assertThat(ready.path("pid").asLong()).isEqualTo(running.process().pid());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(running.readyFile())))
                .isEqualTo("rw-------");
        await("the box with address and login, printed after ready.json")
                .untilAsserted(() -> assertThat(running.console())
                        .content()
                        .contains(ready.path("url").asString(), "admin"));
    }

    /// Reads the kernel's table of listening sockets: 0A is LISTEN, 0100007F is 127.0.0.1.
    private static void assertListensOnLoopbackOnly(List<ProcessHandle> processes) throws Exception {
        for (String table : List.of("tcp", "tcp6")) {
            Path path = Path.of("/proc/net", table);
            List<String> owned = Sockets.of(processes);
            List<String> outside = Files.readAllLines(path).stream()
                    .map(line -> line.strip().split("\\s+"))
                    .filter(words -> words.length > 9 && words[3].equals("0A") && owned.contains(words[9]))
                    .map(words -> words[1])
                    .filter(address -> !address.startsWith("0100007F:")
                            && !address.startsWith("0000000000000000FFFF00000100007F:")
                            && !address.startsWith("00000000000000000000000001000000:"))
                    .toList();
            assertThat(outside)
                    .as("sockets that listen beyond the loopback interface")
                    .isEmpty();
        }
    }

    /// Ctrl-C in a terminal.
    private static void interrupt(Process process) throws Exception {
        new ProcessBuilder("/bin/sh", "-c", "kill -INT " + process.pid())
                .start()
                .waitFor();
    }
}
