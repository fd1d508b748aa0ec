package dev.vigil.platform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.ZipInputStream;
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
    static void start() {
        platform = Platform.start(PlatformSettings.in(folder.resolve("data")), _ -> {});
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
        return client.post(
                        "/api/v1/tasks",
                        Map.of(
                                "name",
                                "mail",
                                "handler",
                                "demo.echo",
                                "schedule",
                                Map.of("type", "one_time"),
                                "subject",
                                subject,
                                "payload",
                                Map.of("text", content)))
                .expect(201)
                .path("id")
                .asString();
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
