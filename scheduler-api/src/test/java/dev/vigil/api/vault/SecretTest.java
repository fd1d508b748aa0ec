package dev.vigil.api.vault;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.Api;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Secrets, tokens and encrypted fields as clients use them.
class SecretTest {
    private static final Api API = Api.shared();

    private final Api.Http admin = API.admin();
    private final Api.Http client = API.client();

    @Test
    void a_secret_is_written_in_versions_and_never_shown() {
        JsonNode first = admin.put("/api/v1/secrets/db-main", "{\"value\":\"canary-v1\"}")
                .expect(201);
        JsonNode second = admin.put("/api/v1/secrets/db-main", "{\"value\":\"canary-v2\"}")
                .expect(200);
        JsonNode rotated = admin.post("/api/v1/secrets/db-main:rotate", "{}").expect(200);

        assertThat(first.path("id").asString())
                .startsWith("sec_")
                .isEqualTo(rotated.path("id").asString());
        assertThat(List.of(
                        first.path("version").asInt(),
                        second.path("version").asInt(),
                        rotated.path("version").asInt()))
                .containsExactly(1, 2, 3);
        for (String path : List.of("/api/v1/secrets/db-main", "/api/v1/secrets?limit=200")) {
            assertThat(admin.get(path).expect(200).toString())
                    .contains("db-main")
                    .doesNotContain("canary-v");
        }
        assertThat(API.query("SELECT count(*) FROM vault.secret WHERE name = 'db-main'", Long.class))
                .as("older values are gone")
                .isEqualTo(1);
        assertThat(API.events()).contains("put_secret", "rotate_secret").doesNotContain("canary-v");
    }

    @Test
    void a_task_names_a_secret_that_is_there_and_that_its_handler_may_read() {
        admin.put("/api/v1/secrets/used", "{\"value\":\"x\"}").expect(201);

        String task = client.post("/api/v1/tasks", task("demo.secret", "{\"ref\":\"secret://used\"}"))
                .expect(201)
                .path("id")
                .asString();

        JsonNode usage = admin.get("/api/v1/secrets/used").expect(200).path("usage");
        assertThat(usage.path("tasks").valueStream().map(JsonNode::asString)).containsExactly(task);
        assertThat(usage.path("handlers").valueStream().map(JsonNode::asString)).contains("demo.secret");
        refused("demo.secret", "{\"a\":[1,{\"b\":\"secret://missing\"}]}", "/payload/a/1/b", "unknown_secret");
        refused("demo.secret", "{\"a\":\"secret://../etc\"}", "/payload/a", "malformed_reference");
        refused("demo.secret", "{\"a\":\"\\u0073ecret://missing\"}", "/payload/a", "unknown_secret");
        refused("demo.echo", "{\"a\":\"secret://used\"}", "/payload/a", "secret_not_allowed");
    }

    @Test
    void text_that_only_looks_like_a_reference_is_just_text() {
        client.post(
                        "/api/v1/tasks",
                        task(
                                "demo.echo",
                                "{\"secret://x\":\"see secret://y\",\"t\":\"token:email:abc123\",\"q\":\"token:\"}"))
                .expect(201);
    }

    @Test
    void a_token_stands_for_a_value_and_only_privacy_officers_and_admins_read_it() {
        String body = "{\"kind\":\"email\",\"value\":\"canary-mail@example.org\",\"subject\":\"customer-t1\"}";
        String token = client.post("/api/v1/pii-tokens", body)
                .expect(201)
                .path("token")
                .asString();
        String other = client.post("/api/v1/pii-tokens", body)
                .expect(201)
                .path("token")
                .asString();

        assertThat(token).matches("token:email:[0-9a-f]{32}").isNotEqualTo(other);
        client.post("/api/v1/tasks", task("demo.echo", "{\"to\":\"" + token + "\"}"))
                .expect(201);
        refused("demo.echo", "{\"to\":\"" + token.replace("email", "phone") + "\"}", "/payload/to", "unknown_token");
        String question = "{\"token\":\"" + token + "\"}";
        assertThat(client.post("/api/v1/pii-tokens:resolve", question).status()).isEqualTo(403);
        JsonNode answer = API.user("privacy_officer")
                .post("/api/v1/pii-tokens:resolve", question)
                .expect(200);
        assertThat(answer.path("value").asString()).isEqualTo("canary-mail@example.org");
        assertThat(admin.post("/api/v1/pii-tokens:resolve", "{\"token\":\"token:email:abc\"}")
                        .status())
                .isEqualTo(404);
        assertThat(API.events())
                .contains("\"event_type\":\"token_resolved\"", token)
                .doesNotContain("canary-mail");
    }

    @Test
    void a_field_is_encrypted_for_a_handler_and_refused_for_another() {
        String field = client.post("/api/v1/fields:encrypt", "{\"value\":\"4111 1111\",\"handler\":\"demo.echo\"}")
                .expect(200)
                .path("encrypted")
                .asString();

        assertThat(field).startsWith("encrypted:AES256:");
        client.post("/api/v1/tasks", task("demo.echo", "{\"card\":\"" + field + "\"}"))
                .expect(201);
        refused("backup.database", "{\"card\":\"" + field + "\"}", "/payload/card", "foreign_field");
        refused("demo.echo", "{\"card\":\"" + field.substring(0, 60) + "\"}", "/payload/card", "malformed_reference");
    }

    @Test
    void only_admins_touch_secrets_and_what_is_not_there_is_404() {
        assertThat(client.put("/api/v1/secrets/x", "{\"value\":\"x\"}").status())
                .isEqualTo(403);
        assertThat(client.get("/api/v1/secrets").status()).isEqualTo(403);
        assertThat(admin.get("/api/v1/secrets?namespace=no-such").status()).isEqualTo(404);
        assertThat(admin.get("/api/v1/secrets?namespace=default").status()).isEqualTo(200);
        assertThat(client.call("POST", "/api/v1/fields:encrypt?namespace=other", "{\"value\":\"x\"}")
                        .status())
                .isEqualTo(404);
        assertThat(admin.get("/api/v1/secrets/nothing").status()).isEqualTo(404);
        assertThat(admin.post("/api/v1/secrets/nothing:rotate", "{}").status()).isEqualTo(404);
        assertThat(admin.delete("/api/v1/secrets/nothing").status()).isEqualTo(404);
    }

    @ParameterizedTest
    @ValueSource(strings = {".hidden", "with%20blank", "a%2Fb"})
    void a_name_that_is_no_file_name_is_refused(String name) {
        assertThat(admin.put("/api/v1/secrets/" + name, "{\"value\":\"x\"}").status())
                .isIn(404, 422, 400);
    }

    @Test
    void a_value_of_64_kibibytes_is_kept_and_one_byte_more_refused() {
        String most = "x".repeat(Secrets.VALUE_BYTES_MAX - 2);

        admin.put("/api/v1/secrets/longest", "{\"value\":\"" + most + "ü\"}").expect(201);
        assertThat(admin.put("/api/v1/secrets/longest", "{\"value\":\"" + most + "xü\"}")
                        .status())
                .isEqualTo(422);
    }

    @Test
    void too_many_references_are_refused() {
        admin.put("/api/v1/secrets/often", "{\"value\":\"x\"}").expect(201);
        String most = String.join(",", java.util.Collections.nCopies(References.MAX, "\"secret://often\""));

        client.post("/api/v1/tasks", task("demo.secret", "[" + most + "]")).expect(201);
        refused("demo.secret", "[" + most + ",\"secret://often\"]", "/payload", "too_many_references");
    }

    private void refused(String handler, String payload, String pointer, String code) {
        Api.Reply reply = client.post("/api/v1/tasks", task(handler, payload));
        JsonNode error = reply.json().path("errors").path(0);

        assertThat(reply.status()).isEqualTo(422);
        assertThat(error.path("pointer").asString()).isEqualTo(pointer);
        assertThat(error.path("code").asString()).isEqualTo(code);
    }

    private static String task(String handler, String payload) {
        return """
                {"name":"with references","handler":"%s","schedule":{"type":"one_time","delay":"P1D"},"payload":%s}""".formatted(handler, payload);
    }
}
