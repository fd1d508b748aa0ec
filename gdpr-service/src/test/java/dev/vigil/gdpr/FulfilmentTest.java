package dev.vigil.gdpr;

import static dev.vigil.gdpr.Office.REQUESTS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.gdpr.Office.Person;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.zip.ZipInputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// What becomes of a request: the export, the erasure and its certificate, crashes and restores included.
class FulfilmentTest {
    private static final Duration DONE_WITHIN = Duration.ofSeconds(30);

    @TempDir
    private Path folder;

    private final Office office = Office.shared();
    private final String url = office.url() + REQUESTS;
    private final String subject = Office.subject();
    private final Person admin = office.admin();
    private final Person scheduler = office.person("scheduler");

    @Test
    void an_export_holds_what_is_known_in_json_csv_and_html_with_hashes_and_a_signature() throws Exception {
        String task = task(subject, "canary-1d7e");
        task(Office.subject(), "canary-of-another");
        await().until(() -> !events("task_id=" + task).isEmpty());
        String access = done("access", subject);

        Map<String, byte[]> zip = unzip(export(access).bytes());

        JsonNode manifest = JsonMapper.shared().readTree(file(zip, "manifest.json"));
        var listed = new TreeSet<>(List.of("manifest.json", "manifest.json.sig"));
        for (JsonNode file : manifest.path("files")) {
            String name = file.path("name").asString();
            assertThat(file.path("sha256").asString()).as(name).isEqualTo(sha256(file(zip, name)));
            assertThat(file.path("bytes").asInt()).as(name).isEqualTo(file(zip, name).length);
            listed.add(name);
        }
        assertThat(zip.keySet()).isEqualTo(listed);
        assertThat(listed)
                .contains("data/tasks.json", "data/tasks.csv", "data/executions.json", "data/executions.csv")
                .contains("data/audit.json", "data/audit.csv", "index.html", "signing-key.pem");
        assertThat(manifest.path("subject").asString()).isEqualTo(subject);
        assertThat(manifest.path("counts").path("tasks").asInt()).isEqualTo(1);
        JsonNode tasks = JsonMapper.shared().readTree(file(zip, "data/tasks.json"));
        assertThat(tasks.path(0).path("id").asString()).isEqualTo(task);
        assertThat(tasks.path(0).path("payload").path("text").asString()).isEqualTo("canary-1d7e");
        assertThat(text(zip, "data/tasks.csv").lines().toList())
                .hasSize(2)
                .first()
                .asString()
                .startsWith("id,");
        assertThat(text(zip, "index.html")).contains("canary-1d7e").doesNotContain("canary-of-another", "<script");
        assertThat(text(zip, "data/audit.json")).contains("task_created", task);
        assertThat(openssl(file(zip, "signing-key.pem"), file(zip, "manifest.json.sig"), file(zip, "manifest.json")))
                .isZero();
        assertThat(openssl(file(zip, "signing-key.pem"), file(zip, "manifest.json.sig"), file(zip, "index.html")))
                .isNotZero();
        assertThat(Office.send("GET", office.url() + "/api/v1/gdpr/public-key", "", null)
                        .text())
                .isEqualTo(text(zip, "signing-key.pem"));
    }

    @Test
    void an_export_holds_the_values_behind_the_tokens_of_the_person_and_of_no_other() throws Exception {
        String token = token(subject, "jane-canary@example.org");
        String other = token(Office.subject(), "other-canary@example.org");
        String access = done("access", subject);

        Map<String, byte[]> zip = unzip(export(access).bytes());

        JsonNode tokens = JsonMapper.shared().readTree(file(zip, "data/tokens.json"));
        assertThat(tokens.size()).isEqualTo(1);
        assertThat(tokens.path(0).path("token").asString()).isEqualTo(token);
        assertThat(tokens.path(0).path("kind").asString()).isEqualTo("email");
        assertThat(tokens.path(0).path("value").asString()).isEqualTo("jane-canary@example.org");
        assertThat(text(zip, "data/tokens.csv").lines().toList())
                .hasSize(2)
                .last()
                .asString()
                .contains(token, "jane-canary@example.org");
        assertThat(text(zip, "index.html")).contains("jane-canary@example.org");
        JsonNode counts =
                JsonMapper.shared().readTree(file(zip, "manifest.json")).path("counts");
        assertThat(counts.path("tokens").asInt()).isEqualTo(1);
        assertThat(counts.path("accounts").asInt()).isZero();
        zip.forEach((name, bytes) ->
                assertThat(new String(bytes, StandardCharsets.UTF_8)).as(name).doesNotContain("other-canary", other));
        assertThat(text(zip, "data/account.json").strip()).isEqualTo("[ ]");
    }

    @Test
    void a_user_is_told_what_is_stored_about_his_account_and_no_secret_of_it() throws Exception {
        JsonNode key = scheduler
                .post(office.api() + "/api/v1/api-keys", "{\"name\":\"laptop\"}")
                .expect(201);
        String access = done("access", scheduler.id());

        Map<String, byte[]> zip = unzip(export(access).bytes());

        JsonNode account =
                JsonMapper.shared().readTree(file(zip, "data/account.json")).path(0);
        assertThat(account.path("id").asString()).isEqualTo(scheduler.id());
        assertThat(account.path("username").asString()).isEqualTo(scheduler.name());
        assertThat(account.path("role").asString()).isEqualTo("scheduler");
        assertThat(account.path("namespace").asString()).isEqualTo("default");
        assertThat(account.path("created_at").asString()).isNotEmpty();
        assertThat(account.has("permissions")).isTrue();
        assertThat(account.path("api_keys").path(0).path("id").asString())
                .isEqualTo(key.path("id").asString());
        assertThat(account.path("api_keys").path(0).path("name").asString()).isEqualTo("laptop");
        assertThat(account.path("sign_ins").size()).isEqualTo(1);
        assertThat(account.path("sign_ins").path(0).path("began_at").asString()).isNotEmpty();
        assertThat(text(zip, "data/account.csv")).contains(scheduler.name(), "laptop");
        assertThat(text(zip, "index.html")).contains(scheduler.name(), "laptop");
        assertThat(text(zip, "manifest.json")).contains("\"accounts\" : 1");
        zip.forEach((name, bytes) -> assertThat(new String(bytes, StandardCharsets.UTF_8))
                .as(name)
                .doesNotContain(key.path("key").asString(), "argon2", "password", "hash\""));
    }

    @Test
    void it_is_fetched_as_often_as_wanted_until_it_expires_and_lies_sealed() {
        task(subject, "canary-77aa");
        String access = done("access", subject);

        assertThat(export(access).status()).isEqualTo(200);
        assertThat(export(access).bytes()).isEqualTo(export(access).bytes());
        assertThat(office.query(
                        "SELECT count(*) FROM gdpr.export_chunk WHERE position('PK'::bytea IN sealed) = 1", Long.class))
                .isZero();
        office.execute("UPDATE gdpr.request SET expires_at = now() WHERE id = '" + uuid(access) + "'");
        assertThat(export(access).status()).isEqualTo(410);
        assertThat(office.query(
                        "SELECT count(*) FROM gdpr.export_chunk WHERE request = '" + uuid(access) + "'", Long.class))
                .isZero();
    }

    @Test
    void an_expired_export_goes_without_anybody_asking_and_others_stay() {
        task(subject, "anything");
        String expired = done("access", subject);
        String other = done("access", subject);

        office.execute("UPDATE gdpr.request SET expires_at = now() WHERE id = '" + uuid(expired) + "'");

        await().atMost(DONE_WITHIN)
                .until(() -> office.query(
                                "SELECT count(*) FROM gdpr.export_chunk WHERE request = '" + uuid(expired) + "'",
                                Long.class)
                        == 0);
        assertThat(export(other).status()).isEqualTo(200);
    }

    @Test
    void an_export_that_was_changed_in_the_database_is_not_handed_out() {
        task(subject, "anything");
        String access = done("access", subject);
        office.execute("UPDATE gdpr.export_chunk SET sealed = set_byte(sealed, 30, 255 - get_byte(sealed, 30))"
                + " WHERE request = '" + uuid(access) + "'");

        assertThat(export(access).status()).isEqualTo(500);
    }

    @Test
    void an_erasure_destroys_key_tasks_and_exports_and_is_certified_within_seconds() throws Exception {
        String task = task(subject, "canary-4411");
        String execution = execution(task);
        String access = done("access", subject);

        String erasure = done("erasure", subject);

        assertThat(scheduler.get(office.api() + "/api/v1/tasks/" + task).status())
                .isEqualTo(404);
        assertThat(export(access).status()).isEqualTo(410);
        JsonNode envelope = admin.get(url + "/" + erasure + "/certificate").expect(200);
        JsonNode certificate = envelope.path("certificate");
        assertThat(certificate.path("tasks_erased").asInt()).isEqualTo(1);
        assertThat(certificate.path("executions_anonymised").asInt()).isEqualTo(1);
        assertThat(certificate.path("keys_destroyed").size()).isEqualTo(1);
        assertThat(certificate.path("verified").path("payloads_tried").asInt()).isEqualTo(1);
        assertThat(certificate.path("verified").path("tasks_left").asInt()).isZero();
        assertThat(certificate.toString()).doesNotContain(subject);
        Base64.Decoder base64 = Base64.getDecoder();
        byte[] key = envelope.path("public_key").asString().getBytes(StandardCharsets.US_ASCII);
        byte[] signature = base64.decode(envelope.path("signature").asString());
        byte[] signed = base64.decode(envelope.path("signed_bytes").asString());
        assertThat(JsonMapper.shared().readTree(signed)).isEqualTo(certificate);
        assertThat(openssl(key, signature, signed)).isZero();
        signed[20] ^= 1;
        assertThat(openssl(key, signature, signed)).isNotZero();
        assertThat(office.query("""
                        SELECT count(*) FROM scheduler.history WHERE id = '%s' AND result IS NULL
                           AND task_id = '00000000-0000-0000-0000-000000000000'
                        """.formatted(uuid(execution)), Long.class)).isEqualTo(1);
        assertThat(office.query(
                        "SELECT count(*) FROM vault.data_key WHERE wrapped IS NULL AND id = '"
                                + certificate.path("keys_destroyed").path(0).asString() + "'",
                        Long.class))
                .isEqualTo(1);
    }

    @Test
    void it_is_done_only_when_its_events_are_listed_and_earlier_ones_are_still_proved() {
        String task = task(subject, "anything");
        await().until(() -> !events("task_id=" + task).isEmpty());
        String before = events("task_id=" + task).path(0).path("id").asString();

        String erasure = done("erasure", subject);

        JsonNode certificate =
                admin.get(url + "/" + erasure + "/certificate").expect(200).path("certificate");
        assertThat(certificate.path("audit_events").size()).isEqualTo(2);
        for (JsonNode event : certificate.path("audit_events")) {
            assertThat(proof(event.asString())).isEqualTo(200);
        }
        assertThat(proof(before)).isEqualTo(200);
        String index = certificate.path("subject_indexes").path(0).asString();
        assertThat(events("subject=" + index + "&event_type=user_data_deleted").size())
                .isPositive();
    }

    @Test
    void a_user_is_erased_with_his_tasks_and_his_account_is_empty_and_shut() {
        String task = task(null, "anything");
        assertThat(office.query(
                        "SELECT count(*) FROM access.principal WHERE username = '" + scheduler.name() + "'",
                        Long.class))
                .isEqualTo(1);

        done("erasure", scheduler.id());

        assertThat(admin.get(office.api() + "/api/v1/tasks/" + task).status()).isEqualTo(404);
        assertThat(admin.get(office.api() + "/api/v1/users/" + scheduler.id()).status())
                .isEqualTo(404);
        assertThat(scheduler.get(office.api() + "/api/v1/me").status()).isEqualTo(401);
        assertThat(office.query(
                        "SELECT count(*) FROM access.principal WHERE username = '" + scheduler.name() + "'",
                        Long.class))
                .isZero();
        assertThat(office.query(
                        "SELECT count(*) FROM access.principal WHERE id = '" + uuid(scheduler.id())
                                + "' AND password IS NULL AND NOT enabled",
                        Long.class))
                .isEqualTo(1);
    }

    @Test
    void what_a_crash_left_half_done_goes_on_after_the_start() {
        task(subject, "anything");
        String access = done("access", subject);
        office.stopCore();
        String erasure;
        try {
            erasure = ask("erasure", subject);
            approve(erasure);
            await().atMost(DONE_WITHIN)
                    .until(() -> office.query(
                                    "SELECT count(*) FROM vault.erasure WHERE tasks = 1 AND request = '" + uuid(erasure)
                                            + "'",
                                    Long.class)
                            == 1);
            office.stop();
        } finally {
            office.startCore();
            office.start();
        }

        awaitState(erasure, "done");
        assertThat(export(access).status()).isEqualTo(410);
    }

    @Test
    void an_approval_that_only_the_vault_has_stored_erases_nothing_until_it_is_given_again() {
        String task = task(subject, "anything");
        String erasure = approvedInTheVaultAlone();

        assertThat(office.query(
                        "SELECT count(*) FROM vault.subject_request WHERE approved_by IS NOT NULL AND id = '"
                                + uuid(erasure) + "'",
                        Long.class))
                .isEqualTo(1);
        assertThat(admin.get(url + "/" + erasure).expect(200).path("state").asString())
                .isEqualTo("awaiting_approval");
        assertThat(scheduler.get(office.api() + "/api/v1/tasks/" + task).status())
                .isEqualTo(200);

        approve(erasure);
        awaitState(erasure, "done");
        assertThat(scheduler.get(office.api() + "/api/v1/tasks/" + task).status())
                .isEqualTo(404);
    }

    @Test
    void an_approval_that_only_the_vault_has_stored_can_still_be_rejected() {
        String task = task(subject, "anything");
        String erasure = approvedInTheVaultAlone();

        office.person("admin").post(url + "/" + erasure + ":reject", "").expect(200);

        awaitState(erasure, "rejected");
        assertThat(office.person("admin")
                        .post(url + "/" + erasure + ":approve", "")
                        .status())
                .isEqualTo(409);
        assertThat(office.query(
                        "SELECT count(*) FROM vault.subject_request WHERE closed_at IS NOT NULL AND id = '"
                                + uuid(erasure) + "'",
                        Long.class))
                .isEqualTo(1);
        assertThat(scheduler.get(office.api() + "/api/v1/tasks/" + task).status())
                .isEqualTo(200);
    }

    /// As a crash between the two stores would leave it.
    private String approvedInTheVaultAlone() {
        String erasure = ask("erasure", subject);
        office.execute("REVOKE INSERT ON gdpr.outbox FROM vigil_gdpr");
        try {
            assertThat(office.person("admin")
                            .post(url + "/" + erasure + ":approve", "")
                            .status())
                    .isGreaterThanOrEqualTo(500);
        } finally {
            office.execute("GRANT INSERT ON gdpr.outbox TO vigil_gdpr");
        }
        return erasure;
    }

    @Test
    void after_an_erasure_an_access_request_finds_nothing() {
        task(subject, "anything");
        done("erasure", subject);

        String access = done("access", subject);

        assertThat(admin.get(url + "/" + access).expect(200).path("tasks").asInt())
                .isZero();
    }

    private String done(String kind, String whom) {
        String request = ask(kind, whom);
        if (kind.equals("erasure")) {
            approve(request);
        }
        awaitState(request, "done");
        return request;
    }

    private String ask(String kind, String whom) {
        return admin.post(url, "{\"kind\":\"%s\",\"subject\":\"%s\",\"reason\":\"a letter\"}".formatted(kind, whom))
                .expect(202)
                .path("id")
                .asString();
    }

    private void approve(String request) {
        office.person("admin").post(url + "/" + request + ":approve", "").expect(200);
    }

    private void awaitState(String request, String state) {
        await().atMost(DONE_WITHIN).untilAsserted(() -> {
            JsonNode view = admin.get(url + "/" + request).expect(200);
            assertThat(view.path("state").asString()).as(view.toString()).isEqualTo(state);
        });
    }

    private Office.Reply export(String request) {
        return admin.get(url + "/" + request + "/export");
    }

    private JsonNode events(String filter) {
        return admin.get(office.audit() + "/api/v1/audit/events?" + filter)
                .expect(200)
                .path("items");
    }

    private int proof(String event) {
        return admin.get(office.audit() + "/api/v1/audit/events/" + event + "/proof")
                .status();
    }

    private String task(@Nullable String about, String content) {
        String named = about == null ? "" : "\"subject\":\"" + about + "\",";
        return scheduler
                .post(office.api() + "/api/v1/tasks", """
                        {"name":"mail","handler":"demo.echo","schedule":{"type":"one_time","delay":"PT1H"},%s
                         "payload":{"text":"%s"}}""".formatted(named, content))
                .expect(201)
                .path("id")
                .asString();
    }

    private String token(String about, String value) {
        return admin.post(office.api() + "/api/v1/pii-tokens", """
                        {"kind":"email","value":"%s","subject":"%s"}""".formatted(value, about))
                .expect(201)
                .path("token")
                .asString();
    }

    private String execution(String task) {
        return scheduler
                .get(office.api() + "/api/v1/executions?task_id=" + task)
                .expect(200)
                .path("items")
                .path(0)
                .path("id")
                .asString();
    }

    private static String uuid(String id) {
        Kind kind = id.startsWith("dsr_") ? Kind.SUBJECT_REQUEST : id.startsWith("exe_") ? Kind.EXECUTION : Kind.USER;
        return Id.parse(kind, id).orElseThrow().uuid().toString();
    }

    /// The line of docs/how-to/answer-a-data-subject.md.
    private int openssl(byte[] key, byte[] signature, byte[] message) throws IOException, InterruptedException {
        Path keyFile = Files.write(folder.resolve("operator.pem"), key);
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

    private static Map<String, byte[]> unzip(byte[] bytes) throws IOException {
        var files = new TreeMap<String, byte[]>();
        try (var zip = new ZipInputStream(new ByteArrayInputStream(bytes))) {
            for (var entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                files.put(entry.getName(), zip.readAllBytes());
            }
        }
        return files;
    }

    private static String sha256(byte[] bytes) throws GeneralSecurityException {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    private static byte[] file(Map<String, byte[]> files, String name) {
        return Objects.requireNonNull(files.get(name), name);
    }

    private static String text(Map<String, byte[]> files, String name) {
        return new String(file(files, name), StandardCharsets.UTF_8);
    }
}
