package dev.vigil.platform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.ZipInputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// What is known about a person is handed out and destroyed, through all five services.
class PrivacyTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String REQUESTS = "/api/v1/gdpr/requests";

    @TempDir
    private static Path folder;

    @SuppressWarnings("NullAway.Init")
    private static Platform platform;

    @SuppressWarnings("NullAway.Init")
    private static VigilClient admin;

    @SuppressWarnings("NullAway.Init")
    private static VigilClient client;

    @BeforeAll
    static void start() throws IOException {
        PlatformSettings plain = PlatformSettings.in(folder.resolve("data"));
        var settings = new PlatformSettings(plain.data(), 0, handlers(), true, 1, 1, false, null, plain.programs());
        platform = Platform.start(settings, _ -> {});
        Ready ready = platform.ready();
        admin = VigilClient.ofUser(
                ready.url(), ready.admin().username(), ready.admin().password());
        client = VigilClient.ofClient(
                ready.url(), ready.client().clientId(), ready.client().clientSecret());
    }

    @AfterAll
    static void stop() {
        platform.close();
    }

    @Test
    void a_person_gets_his_data_and_is_erased_by_two_people() throws Exception {
        String task = task("customer-4711", "canary-8b1f");
        task("customer-4712", "of somebody else");
        await().atMost(PATIENCE)
                .until(() -> client.get("/api/v1/executions?task_id=" + task)
                        .expect(200)
                        .path("items")
                        .path(0)
                        .path("state")
                        .asString()
                        .equals("succeeded"));

        String access = ask("access", "customer-4711");
        awaitState(access, "done");
        Map<String, byte[]> export = unzip(admin.getBytes(REQUESTS + "/" + access + "/export"));
        verify(export);

        VigilClient officer = officer();
        String erasure = ask("erasure", "customer-4711");
        assertThat(admin.get(REQUESTS + "/" + erasure).expect(200).path("state").asString())
                .isEqualTo("awaiting_approval");
        assertThat(admin.post(REQUESTS + "/" + erasure + ":approve").status()).isEqualTo(403);
        secondAdmin().post(REQUESTS + "/" + erasure + ":approve").expect(200);
        awaitState(erasure, "done");

        assertThat(client.get("/api/v1/tasks/" + task).status()).isEqualTo(404);
        assertThat(admin.getBytes(REQUESTS + "/" + access + "/export").statusCode())
                .isEqualTo(410);
        verifyCertificate(admin.get(REQUESTS + "/" + erasure + "/certificate").expect(200));
        assertThat(officer.get(REQUESTS + "/" + erasure).status())
                .as("a request about all namespaces is an admin's")
                .isEqualTo(404);
        assertThat(client.post(REQUESTS, Map.of("kind", "access", "subject", "x", "reason", "y"))
                        .status())
                .isEqualTo(403);
    }

    @Test
    void who_signed_out_is_refused_on_the_ports_of_the_services_behind_the_api_too() {
        VigilClient leaving = user("leaving-admin", "admin");
        Ready ready = platform.ready();
        VigilClient audit = leaving.at(ready.auditUrl());
        VigilClient privacy = leaving.at(ready.gdprUrl());
        assertThat(audit.get("/api/v1/audit/checkpoint").status()).isEqualTo(200);
        assertThat(privacy.get(REQUESTS).status()).isEqualTo(200);

        leaving.post("/api/auth/logout").expectSuccess();

        await().atMost(Duration.ofSeconds(2))
                .until(() -> audit.get("/api/v1/audit/checkpoint").status() == 401
                        && privacy.get(REQUESTS).status() == 401);
        assertThat(admin.at(ready.auditUrl()).get("/api/v1/audit/checkpoint").status())
                .isEqualTo(200);
        assertThat(admin.at(ready.gdprUrl()).get(REQUESTS).status()).isEqualTo(200);
    }

    @Test
    void an_erasure_ends_what_runs_and_a_result_that_comes_late_is_stored_nowhere() throws Exception {
        String subject = "customer-late";
        String task = client.post("/api/v1/tasks", task("test.late", subject, Map.of("token", "canary-late")))
                .expect(201)
                .path("id")
                .asString();
        String execution = "exe_" + task.substring("tsk_".length());
        await().atMost(PATIENCE)
                .until(() -> client.get("/api/v1/executions/" + execution + "/logs")
                        .text()
                        .contains("canary-late begins"));
        long worker = Long.parseLong(Files.readString(folder.resolve("data/run/worker-1.pid"))
                .strip()
                .split("\\s+", -1)[0]);

        signal("STOP", worker);
        try {
            // The worker hears of nothing, while its handler goes on and answers.
            String erasure = ask("erasure", subject);
            user("late-admin", "admin")
                    .post(REQUESTS + "/" + erasure + ":approve")
                    .expect(200);
            awaitState(erasure, "done");
            assertThat(stored(execution)).isEqualTo("cancelled by nobody, 0 results, 0 lines, 0 messages");
        } finally {
            signal("CONT", worker);
        }
        // It is back and has told all it had once it takes new work.
        String next = task("customer-after-late", "canary-next");
        await().atMost(PATIENCE)
                .until(() -> client.get("/api/v1/executions?task_id=" + next)
                        .expect(200)
                        .path("items")
                        .path(0)
                        .path("state")
                        .asString()
                        .equals("succeeded"));
        assertThat(stored(execution)).isEqualTo("cancelled by nobody, 0 results, 0 lines, 0 messages");
        assertThat(client.get("/api/v1/tasks/" + task).status()).isEqualTo(404);
        assertThat(admin.get("/api/v1/executions/" + execution).text()).doesNotContain("canary-late");
    }

    @Test
    void a_handler_that_prints_its_secret_leaves_stars_in_logs_progress_and_error_and_the_value_nowhere()
            throws Exception {
        String secret = "canary-told-9c1e77d0";
        admin.put("/api/v1/secrets/told-key", Map.of("value", secret)).expect(201);

        String task = client.post("/api/v1/tasks", task("test.teller", null, Map.of("key", "secret://told-key")))
                .expect(201)
                .path("id")
                .asString();

        String execution = "/api/v1/executions/exe_" + task.substring("tsk_".length());
        await().atMost(PATIENCE)
                .until(() -> client.get(execution)
                        .expect(200)
                        .path("state")
                        .asString()
                        .equals("failed"));
        JsonNode ended = client.get(execution).expect(200);
        String logs = client.get(execution + "/logs").text();
        assertThat(logs).contains("my key is ***", "aloud ***, cut in ***");
        assertThat(ended.path("error").path("detail").asString()).contains("aloud ***");
        assertThat(logs + ended).doesNotContain(secret);
        assertThat(Canary.filesHolding(folder, secret)).isEmpty();
        assertThat(Canary.filesHolding(folder, "test.teller"))
                .as("control: what is not secret can be found")
                .isNotEmpty();
    }

    /// A handler that answers after a while whatever becomes of its worker, and one that tells its secret.
    private static Path handlers() throws IOException {
        Path parent = folder.resolve("handlers");
        handler(parent, "test.late", "", """
                read -r run
                trap '' TERM INT HUP
                echo "canary-late begins"
                sleep 3
                printf '{"done":{"text":"canary-late result"}}\\n' >&"$VIGIL_FD"
                """);
        handler(parent, "test.teller", "secrets_allowed: [told-key]", """
                read -r run
                key=$(cat /run/task/secrets/told-key)
                echo "my key is $key"
                printf 'aloud %s, cut in %s' "$key" "${key%%????}" >&2
                sleep 0.3
                printf '%s\\n' "${key#"${key%%????}"}" >&2
                printf '{"progress":0.5,"message":"holding %s"}\\n' "$key" >&"$VIGIL_FD"
                exit 3
                """);
        return parent;
    }

    private static void handler(Path parent, String name, String more, String script) throws IOException {
        Path handler = Files.createDirectories(parent.resolve(name));
        Files.writeString(handler.resolve("handler.yaml"), """
                name: %s
                version: 1
                command: [/bin/sh, run.sh]
                isolation: fresh
                %s
                """.formatted(name, more));
        Files.writeString(handler.resolve("run.sh"), script);
    }

    private static void signal(String name, long process) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(process))
                        .start()
                        .waitFor())
                .isZero();
    }

    /// What the database has of an execution.
    private static String stored(String execution) throws SQLException {
        Ready.Postgres at = platform.ready().postgres();
        String url = "jdbc:postgresql://" + at.host() + ":" + at.port() + "/" + at.database();
        try (Connection database = DriverManager.getConnection(url, at.owner(), at.password());
                PreparedStatement query = database.prepareStatement("""
                        SELECT (SELECT string_agg(
                                   CASE WHEN state = 4 THEN 'cancelled' ELSE 'state ' || state END || ' by '
                                   || CASE WHEN owner = '00000000-0000-0000-0000-000000000000' AND result IS NULL
                                           THEN 'nobody' ELSE 'somebody' END, ' and ')
                                  FROM scheduler.history WHERE id = e.id)
                            || ', ' || (SELECT count(*) FROM scheduler.result WHERE execution = e.id) || ' results'
                            || ', ' || (SELECT count(*) FROM scheduler.log WHERE execution = e.id) || ' lines'
                            || ', ' || (SELECT count(*) FROM scheduler.progress WHERE execution = e.id) || ' messages'
                          FROM (SELECT ?::uuid AS id) e
                        """)) {
            query.setObject(1, Id.parse(Kind.EXECUTION, execution).orElseThrow().uuid());
            try (ResultSet row = query.executeQuery()) {
                row.next();
                return String.valueOf(row.getString(1));
            }
        }
    }

    private static void verify(Map<String, byte[]> export) throws Exception {
        JsonNode manifest = JsonMapper.shared().readTree(file(export, "manifest.json"));
        assertThat(manifest.path("complete").asBoolean()).isTrue();
        assertThat(manifest.path("counts").path("tasks").asInt()).isEqualTo(1);
        assertThat(manifest.path("counts").path("executions").asInt()).isEqualTo(1);
        assertThat(manifest.path("counts").path("audit_events").asInt()).isPositive();
        for (JsonNode listed : manifest.path("files")) {
            byte[] bytes = file(export, listed.path("name").asString());
            assertThat(HexFormat.of()
                            .formatHex(MessageDigest.getInstance("SHA-256").digest(bytes)))
                    .isEqualTo(listed.path("sha256").asString());
        }
        assertThat(text(export, "data/tasks.json")).contains("canary-8b1f").doesNotContain("of somebody else");
        assertThat(text(export, "data/tasks.csv")).contains("canary-8b1f");
        assertThat(text(export, "data/executions.json")).contains("canary-8b1f");
        assertThat(text(export, "data/audit.json")).contains("task_created");
        assertThat(text(export, "index.html")).contains("canary-8b1f");
        assertThat(openssl(
                        file(export, "signing-key.pem"),
                        file(export, "manifest.json.sig"),
                        file(export, "manifest.json")))
                .isZero();
        byte[] changed = text(export, "manifest.json").replace("4711", "4712").getBytes(StandardCharsets.UTF_8);
        assertThat(openssl(file(export, "signing-key.pem"), file(export, "manifest.json.sig"), changed))
                .isNotZero();
    }

    private static void verifyCertificate(JsonNode envelope) throws Exception {
        Base64.Decoder base64 = Base64.getDecoder();
        JsonNode certificate = envelope.path("certificate");
        assertThat(certificate.path("tasks_erased").asInt()).isEqualTo(1);
        assertThat(certificate.path("keys_destroyed").size()).isEqualTo(1);
        assertThat(certificate.path("verified").path("payloads_tried").asInt()).isEqualTo(1);
        assertThat(openssl(
                        envelope.path("public_key").asString().getBytes(StandardCharsets.US_ASCII),
                        base64.decode(envelope.path("signature").asString()),
                        base64.decode(envelope.path("signed_bytes").asString())))
                .isZero();
    }

    /// The line of docs/how-to/answer-a-data-subject.md.
    private static int openssl(byte[] key, byte[] signature, byte[] message) throws IOException, InterruptedException {
        Path keyFile = Files.write(folder.resolve("key.pem"), key);
        Path signatureFile = Files.write(folder.resolve("signature"), signature);
        Path messageFile = Files.write(folder.resolve("message"), message);
        return new ProcessBuilder(List.of(
                        "openssl",
                        "dgst",
                        "-sha256",
                        "-verify",
                        keyFile.toString(),
                        "-signature",
                        signatureFile.toString(),
                        messageFile.toString()))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    private static String task(String subject, String content) {
        return client.post("/api/v1/tasks", task("demo.echo", subject, Map.of("text", content)))
                .expect(201)
                .path("id")
                .asString();
    }

    private static Map<String, Object> task(String handler, @Nullable String subject, Map<String, String> payload) {
        var task = new HashMap<String, Object>(
                Map.of("name", "mail", "handler", handler, "schedule", Map.of("type", "one_time"), "payload", payload));
        if (subject != null) {
            task.put("subject", subject);
        }
        return task;
    }

    private static String ask(String kind, String subject) {
        return admin.post(REQUESTS, Map.of("kind", kind, "subject", subject, "reason", "asked by mail"))
                .expect(202)
                .path("id")
                .asString();
    }

    private static void awaitState(String request, String state) {
        await().atMost(PATIENCE).untilAsserted(() -> {
            JsonNode view = admin.get(REQUESTS + "/" + request).expect(200);
            assertThat(view.path("state").asString()).as(view.toString()).isEqualTo(state);
        });
    }

    private static VigilClient secondAdmin() {
        return user("second-admin", "admin");
    }

    private static VigilClient officer() {
        return user("officer", "privacy_officer");
    }

    private static VigilClient user(String name, String role) {
        admin.post("/api/v1/users", Map.of("username", name, "password", "a long enough password", "role", role))
                .expect(201);
        return VigilClient.ofUser(platform.ready().url(), name, "a long enough password");
    }

    private static Map<String, byte[]> unzip(HttpResponse<byte[]> answer) throws IOException {
        assertThat(answer.statusCode()).isEqualTo(200);
        var files = new HashMap<String, byte[]>();
        try (var zip = new ZipInputStream(new ByteArrayInputStream(answer.body()))) {
            for (var entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                files.put(entry.getName(), zip.readAllBytes());
            }
        }
        return files;
    }

    private static byte[] file(Map<String, byte[]> files, String name) {
        return Objects.requireNonNull(files.get(name), name);
    }

    private static String text(Map<String, byte[]> files, String name) {
        return new String(file(files, name), StandardCharsets.UTF_8);
    }
}
