package dev.vigil.platform;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipInputStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// The whole way, as a user goes it: `./vigil dev` as a process, REST in, a worker with a certificate, a sandbox,
/// results out, the trail verified, a person's data exported and erased.
class EndToEndTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    static Path folder;

    private static DevRun dev;
    private static VigilClient client;
    private static VigilClient admin;

    @BeforeAll
    static void start() throws IOException {
        Path handlers = stubborn(copied(DevRun.ROOT.resolve("examples/handlers"), folder.resolve("handlers")));
        dev = DevRun.start(folder.resolve("data"), "--handlers", handlers.toString(), "--approve-handlers");
        client = dev.client();
        admin = dev.admin();
    }

    private static Path copied(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
        }
        return to;
    }

    /// A handler that talks, leaves a daemon behind and ignores whoever wants it to stop.
    private static Path stubborn(Path parent) throws IOException {
        Path handler = Files.createDirectories(parent.resolve("test.stubborn"));
        Files.writeString(handler.resolve("handler.yaml"), """
                name: test.stubborn
                version: 1
                command: [/bin/sh, run.sh]
                isolation: fresh
                """);
        Files.writeString(handler.resolve("run.sh"), """
                read -r run
                token=$(printf '%s' "$run" | sed 's/.*"token":"\\([a-z0-9-]*\\)".*/\\1/')
                trap '' TERM INT HUP
                setsid sh -c "trap '' TERM INT HUP; : $token; while :; do sleep 1; done" </dev/null >/dev/null 2>&1 &
                echo "canary-log-$token begins"
                printf '{"progress":0.5,"message":"half of %s"}\\n' "$token" >&$VIGIL_FD
                while :; do sleep 1; done
                """);
        return parent;
    }

    @AfterAll
    static void stop() throws IOException {
        dev.close();
    }

    @Test
    void a_task_is_run_by_a_worker_and_its_result_comes_back() {
        JsonNode execution = run(create("greet", "demo.echo", Map.of("hello", "wörld")));

        assertThat(execution.path("state").asString()).isEqualTo("succeeded");
        assertThat(execution.path("result").path("hello").asString()).isEqualTo("wörld");
        assertThat(execution.path("attempt").asInt()).isEqualTo(1);
        assertThat(execution.path("worker_id").asString()).startsWith("wrk_");
        assertThat(execution.path("started_at").asString()).endsWith("Z");
        assertThat(execution.path("duration_ms").isNumber()).isTrue();
    }

    @Test
    void the_examples_of_every_namespace_come_to_their_known_answers() throws IOException {
        var shown = new ByteArrayOutputStream();

        boolean right = Tour.show(dev.ready(), DevRun.ROOT.resolve("examples"), new PrintStream(shown, true, UTF_8));

        assertThat(right).as(shown.toString(UTF_8)).isTrue();
    }

    @Test
    void a_mebibyte_goes_to_a_handler_and_back_and_one_byte_more_is_refused() {
        String text = "\"" + "x".repeat(1_048_576 - 2) + "\"";

        JsonNode execution = run(client.postText("/api/v1/tasks", body("large", "demo.echo", text)));

        assertThat(execution.path("state").asString()).isEqualTo("succeeded");
        assertThat(execution.path("result").asString()).hasSize(1_048_574);
        VigilClient.Reply refused =
                client.postText("/api/v1/tasks", body("too large", "demo.echo", text.replaceFirst("x", "xx")));
        assertThat(refused.status()).isEqualTo(413);
        assertThat(refused.json().path("code").asString()).isNotEmpty();
    }

    @Test
    void a_payload_is_found_nowhere_in_the_data_folder_but_a_name_is() throws IOException {
        String secret = "canary-payload-7f3a91c4";
        String name = "canary-name-2b8e60d1";
        run(create(name, "demo.echo", Map.of("secret", secret)));
        run(create(name, "demo.fail", Map.of("fail_attempts", 1, "secret", secret)));

        assertThat(Canary.filesHolding(folder, name)).isNotEmpty();
        assertThat(Canary.filesHolding(folder, secret)).isEmpty();
    }

    @Test
    void a_secret_and_a_personal_value_are_found_nowhere_but_in_the_worker_kills_included() throws Exception {
        String secret = "canary-secret-51d0c7b2";
        String mail = "canary-mail-88e4@example.org";
        admin.put("/api/v1/secrets/canary-db", Map.of("value", secret)).expect(201);
        String token = client.post(
                        "/api/v1/pii-tokens", Map.of("kind", "email", "value", mail, "subject", "customer-c"))
                .expect(201)
                .path("token")
                .asString();
        String field = client.post("/api/v1/fields:encrypt", Map.of("value", mail))
                .expect(200)
                .path("encrypted")
                .asString();
        admin.post(
                        "/api/v1/handlers",
                        Map.of("name", "demo.sleep", "isolation", "pooled", "secrets_allowed", List.of("canary-*")))
                .expect(201);

        JsonNode length = run(create("length", "demo.secret", Map.of("ref", "secret://canary-db")));
        JsonNode echo = run(create("echo", "demo.echo", Map.of("to", List.of(token, field))));
        String sleeper = idOf(create(
                "sleeper", "demo.sleep", Map.of("ms", 60_000, "ref", "secret://canary-db", "to", token, "cc", field)));
        Awaitility.await("sleeper runs")
                .atMost(PATIENCE)
                .until(() -> states(sleeper), states -> states.contains("running"));

        assertThat(length.path("result").path("length").asInt()).isEqualTo(secret.length());
        assertThat(echo.path("result").path("to").valueStream().map(JsonNode::asString))
                .containsExactly(mail, mail);
        assertThat(client.post("/api/v1/tasks", task("not for it", "demo.echo", Map.of("x", "secret://canary-db")))
                        .json()
                        .path("errors")
                        .path(0)
                        .path("pointer")
                        .asString())
                .isEqualTo("/payload/x");
        String trail = admin.get("/api/v1/audit/events?limit=200").text();
        assertThat(trail).contains("secret_resolved", "secret://canary-db", "token_resolved", token);
        assertThat(trail).doesNotContain(secret, mail);
        assertThat(Canary.seenBeside(secret)).isEmpty();
        assertThat(Canary.seenBeside(mail)).isEmpty();
        assertThat(Canary.dumpsCore(dev.ready().path("pid").asLong())).isFalse();

        dev.kill("worker-1");
        dev.killServer();

        assertThat(Canary.filesHolding(folder, "canary-db"))
                .as("names may be read")
                .isNotEmpty();
        assertThat(Canary.filesHolding(folder, secret, mail)).isEmpty();
        assertThat(Canary.filesHolding(Path.of("/dev/shm"), secret, mail)).isEmpty();
        dev.restart();
        client = dev.client();
        admin = dev.admin();
        client.delete("/api/v1/tasks/" + sleeper);
    }

    private static List<String> states(String task) {
        return client.get("/api/v1/executions?task_id=" + task)
                .expect(200)
                .path("items")
                .valueStream()
                .map(one -> one.path("state").asString())
                .toList();
    }

    @Test
    void what_a_handler_says_is_read_while_it_runs_and_a_cancelled_one_is_gone_with_its_daemons() throws IOException {
        String token = java.util.UUID.randomUUID().toString();
        String id = idOf(create("stubborn", "test.stubborn", Map.of("token", token)));
        String execution = "exe_" + id.substring("tsk_".length());
        String path = "/api/v1/executions/" + execution;
        Awaitility.await()
                .atMost(PATIENCE)
                .until(() -> client.get(path + "/logs").text().contains("canary-log-" + token + " begins"));
        Awaitility.await()
                .atMost(PATIENCE)
                .until(() -> client.get(path).json().path("message").asString().equals("half of " + token));
        assertThat(client.get(path).json().path("progress").asDouble()).isEqualTo(0.5);
        assertThat(client.get(path + "/logs").text()).as("it still runs").contains("{\"state\":\"running\"}");
        assertThat(processesWith(token)).as("control: its daemon can be found").isNotEmpty();

        int answer = client.post(path + ":cancel").status();
        assertThat(answer).isIn(200, 202);
        Awaitility.await()
                .atMost(PATIENCE)
                .until(() -> client.get(path).json().path("state").asString().equals("cancelled"));

        assertThat(processesWith(token)).isEmpty();
        assertThat(client.get(path + "/logs").text()).contains("begins").endsWith("{\"state\":\"cancelled\"}\n\n");
        assertThat(Canary.filesHolding(folder, "canary-log-" + token)).isEmpty();
    }

    private static List<Path> processesWith(String token) throws IOException {
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            return processes
                    .filter(process -> Canary.holds(process.resolve("cmdline"), token))
                    .toList();
        }
    }

    @Test
    void without_a_token_nothing_is_told_and_a_strangers_task_is_not_there() {
        String id = idOf(create("mine", "demo.echo", Map.of()));

        assertThat(VigilClient.anonymous(dev.url()).get("/api/v1/tasks/" + id).status())
                .isEqualTo(401);
        VigilClient stranger = person("stranger", "scheduler");
        assertThat(stranger.get("/api/v1/tasks/" + id).status()).isEqualTo(404);
        assertThat(client.get("/api/v1/tasks/" + id).status()).isEqualTo(200);
    }

    @Test
    void the_trail_of_a_task_is_complete_and_verifies_offline() throws Exception {
        String id = idOf(create("audited", "demo.echo", Map.of()));
        awaitEnd(client, id);

        List<String> actions = Awaitility.await()
                .atMost(PATIENCE)
                .until(() -> actions(id), found -> found.contains("task_execution/execute"));
        assertThat(actions).contains("task_created/create", "task_execution/dispatch", "task_execution/start");

        Path tiles = folder.resolve("tiles");
        String key = admin.get("/api/v1/audit/public-key").text().strip();
        assertThat(vigil("audit", "download", "--url", dev.url(), "--token", admin.token(), "--dir", tiles.toString()))
                .isZero();
        assertThat(vigil("audit", "verify", "--dir", tiles.toString(), "--key", key))
                .isZero();
        flipOneByte(tiles);
        assertThat(vigil("audit", "verify", "--dir", tiles.toString(), "--key", key))
                .isEqualTo(8);
    }

    @Test
    void a_subject_is_exported_then_erased_by_two_people_and_the_trail_still_verifies() throws Exception {
        String subject = "customer-e2e-1";
        var body = new HashMap<>(task("for a person", "demo.echo", Map.of("mail", "a@b.example")));
        body.put("subject", subject);
        String id = idOf(client.post("/api/v1/tasks", body));
        awaitEnd(client, id);
        VigilClient asker = person("asker", "privacy_officer");
        VigilClient approver = person("approver", "privacy_officer");

        String access = request(asker, "access", subject);
        awaitDone(asker, access);
        byte[] zip =
                asker.getBytes("/api/v1/gdpr/requests/" + access + "/export").body();
        assertThat(entry(zip, "data/tasks.json")).contains("a@b.example").contains(id);
        assertThat(entry(zip, "data/executions.json")).contains(id);
        assertThat(entry(zip, "data/audit.json")).contains("task_created");

        String erasure = request(asker, "erasure", subject);
        assertThat(asker.post("/api/v1/gdpr/requests/" + erasure + ":approve").status())
                .isEqualTo(403);
        assertThat(client.get("/api/v1/tasks/" + id).status()).isEqualTo(200);
        assertThat(approver.post("/api/v1/gdpr/requests/" + erasure + ":approve")
                        .status())
                .isEqualTo(200);
        awaitDone(approver, erasure);

        assertThat(client.get("/api/v1/tasks/" + id).status()).isEqualTo(404);
        assertThat(asker.getBytes("/api/v1/gdpr/requests/" + access + "/export").statusCode())
                .isEqualTo(410);
        assertThat(approver.getBytes("/api/v1/gdpr/requests/" + erasure + "/certificate")
                        .statusCode())
                .isEqualTo(200);
        String key = admin.get("/api/v1/audit/public-key").text().strip();
        assertThat(vigil("audit", "verify", "--url", dev.url(), "--token", admin.token(), "--key", key))
                .isZero();
    }

    private static Map<String, Object> task(String name, String handler, Object payload) {
        return Map.of("name", name, "handler", handler, "schedule", Map.of("type", "one_time"), "payload", payload);
    }

    private static VigilClient.Reply create(String name, String handler, Object payload) {
        return client.post("/api/v1/tasks", task(name, handler, payload));
    }

    private static String body(String name, String handler, String payload) {
        return """
                {"name":"%s","handler":"%s","schedule":{"type":"one_time"},"payload":%s}""".formatted(name, handler, payload);
    }

    private static String idOf(VigilClient.Reply created) {
        return created.expect(201).path("id").asString();
    }

    private static JsonNode run(VigilClient.Reply created) {
        return awaitEnd(client, idOf(created));
    }

    private static JsonNode awaitEnd(VigilClient reader, String task) {
        String id = Awaitility.await("end of " + task)
                .atMost(PATIENCE)
                .until(
                        () -> reader.get("/api/v1/executions?task_id=" + task)
                                .expect(200)
                                .path("items")
                                .valueStream()
                                .filter(one -> Examples.ENDED.contains(
                                        one.path("state").asString()))
                                .map(one -> one.path("id").asString())
                                .findFirst()
                                .orElse(""),
                        found -> !found.isEmpty());
        return reader.get("/api/v1/executions/" + id).expect(200);
    }

    private static VigilClient person(String name, String role) {
        String password = "correct horse " + name;
        admin.post("/api/v1/users", Map.of("username", name, "password", password, "role", role))
                .expect(201);
        return VigilClient.ofUser(dev.url(), name, password);
    }

    private static List<String> actions(String task) {
        return admin.get("/api/v1/audit/events?limit=100&task_id=" + task)
                .expect(200)
                .path("items")
                .valueStream()
                .map(event -> event.path("event_type").asString() + "/"
                        + event.path("action").asString())
                .toList();
    }

    private static String request(VigilClient officer, String kind, String subject) {
        return officer.post(
                        "/api/v1/gdpr/requests", Map.of("kind", kind, "subject", subject, "reason", "asked by letter"))
                .expect(202)
                .path("id")
                .asString();
    }

    private static void awaitDone(VigilClient officer, String request) {
        Awaitility.await("request " + request + " done")
                .atMost(PATIENCE)
                .until(() -> officer.get("/api/v1/gdpr/requests/" + request)
                        .expect(200)
                        .path("state")
                        .asString()
                        .equals("done"));
    }

    private static String entry(byte[] zip, String name) throws IOException {
        try (var in = new ZipInputStream(new ByteArrayInputStream(zip))) {
            for (var entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                if (entry.getName().equals(name)) {
                    return new String(in.readAllBytes(), UTF_8);
                }
            }
        }
        throw new AssertionError("the export has no " + name);
    }

    private static void flipOneByte(Path tiles) throws IOException {
        try (Stream<Path> files = Files.walk(tiles)) {
            Path entries = files.filter(Files::isRegularFile)
                    .filter(file -> file.toString().contains("entries"))
                    .findFirst()
                    .orElseThrow();
            byte[] bytes = Files.readAllBytes(entries);
            bytes[bytes.length / 2] ^= 1;
            Files.write(entries, bytes);
        }
    }

    private static int vigil(String... words) throws IOException, InterruptedException {
        var command =
                new java.util.ArrayList<>(List.of(DevRun.ROOT.resolve("vigil").toString()));
        command.addAll(List.of(words));
        var builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("vigil-cli.log").toFile());
        builder.environment().put("VIGIL_CLASS_PATH", System.getProperty("java.class.path"));
        builder.environment().put("XDG_CONFIG_HOME", folder.resolve("config").toString());
        return builder.start().waitFor();
    }
}
