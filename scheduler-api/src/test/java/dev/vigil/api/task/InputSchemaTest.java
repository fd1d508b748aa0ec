package dev.vigil.api.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.Api;
import dev.vigil.api.Api.Reply;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// Payloads against the JSON Schema that their handler was registered with.
class InputSchemaTest {
    private static final String SCHEMA = """
            {"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object",
             "required":["customer","amount"],"additionalProperties":false,
             "properties":{"customer":{"type":"string","pattern":"^(a+)+$","maxLength":64},
                           "amount":{"type":"integer","minimum":1},
                           "lines":{"type":"array","items":{"$ref":"#/$defs/line"}},
                           "kind":{"enum":["big","small"]}},
             "$defs":{"line":{"type":"object","properties":{"n":{"type":"number"}}}}}""";

    private final Api api = Api.shared();
    private final Api.Http owner = api.user("scheduler");
    private final String handler = "checked." + UUID.randomUUID();

    @Test
    void a_payload_that_fits_the_schema_of_its_handler_is_taken() {
        register();

        assertThat(create("{\"customer\":\"aaa\",\"amount\":3,\"lines\":[{\"n\":1.5}],\"kind\":\"big\"}")
                        .status())
                .isEqualTo(201);
    }

    @Test
    void one_that_does_not_is_422_with_the_pointer_of_each_fault_and_never_a_value() {
        register();

        Reply reply = create("""
                {"customer":"secret-value","lines":[{"n":1},{"n":"secret-value"}],"kind":"secret-value","more":"secret-value"}""");

        assertThat(reply.status()).isEqualTo(422);
        assertThat(reply.code()).isEqualTo("validation_failed");
        assertThat(reply.text()).doesNotContain("secret-value");
        assertThat(pointers(reply))
                .containsExactlyInAnyOrder(
                        "/payload/customer", "/payload/amount", "/payload/lines/1/n", "/payload/kind", "/payload/more");
        assertThat(reply.text()).contains("\\\"big\\\"");
    }

    @Test
    void a_name_that_looks_like_data_is_not_shown_either() {
        register();

        Reply reply = create("{\"customer\":\"a\",\"amount\":1,\"jane@example.com\":1}");

        assertThat(pointers(reply)).containsExactly("/payload/?");
        assertThat(reply.text()).doesNotContain("jane");
    }

    @Test
    void a_pattern_that_would_take_ages_is_given_up() {
        register();

        Reply reply = create("{\"customer\":\"%s!\",\"amount\":1}".formatted("a".repeat(40)));

        assertThat(reply.status()).isEqualTo(422);
        assertThat(reply.json().path("errors").path(0).path("code").asString()).isEqualTo("pattern");
    }

    @Test
    void a_new_payload_and_another_handler_are_checked_by_patch_and_bulk_and_dry_run_too() {
        register();
        String id = create("{\"customer\":\"a\",\"amount\":1}")
                .expect(201)
                .path("id")
                .asString();

        assertThat(pointers(owner.call(
                        "PATCH", "/api/v1/tasks/" + id, "{\"payload\":{\"customer\":\"a\"}}", "If-Match", "*")))
                .containsExactly("/payload/amount");
        String other = owner.post("/api/v1/tasks", body("demo.echo", "{\"amount\":0}"))
                .expect(201)
                .path("id")
                .asString();
        assertThat(pointers(owner.call(
                        "PATCH", "/api/v1/tasks/" + other, "{\"handler\":\"%s\"}".formatted(handler), "If-Match", "*")))
                .containsExactlyInAnyOrder("/payload/amount", "/payload/customer");
        assertThat(pointers(owner.post("/api/v1/tasks?dry_run=true", body(handler, "{\"customer\":\"a\"}"))))
                .containsExactly("/payload/amount");
    }

    @Test
    void a_schema_that_is_none_or_refers_to_the_outside_is_refused_and_nothing_is_fetched() {
        for (String schema : List.of(
                "7",
                "{\"type\":\"sting\"}",
                "{\"$ref\":\"http://127.0.0.1:1/x\"}",
                "{\"properties\":{\"a\":{\"$ref\":\"file:///etc/passwd\"}}}",
                "{\"$schema\":\"http://127.0.0.1:1/meta\"}",
                "{\"$ref\":\"#/$defs/nowhere\"}",
                "{\"properties\":{\"a\":{\"pattern\":\"(\"}}}")) {
            String name = "bad." + UUID.randomUUID();
            Reply reply = api.admin()
                    .post("/api/v1/handlers", "{\"name\":\"%s\",\"input_schema\":%s}".formatted(name, schema));

            assertThat(reply.status()).as(schema).isEqualTo(422);
            assertThat(pointers(reply)).containsExactly("/input_schema");
            assertThat(api.admin().get("/api/v1/handlers/" + name).status())
                    .as("nothing is stored")
                    .isEqualTo(404);
        }
    }

    private void register() {
        api.admin()
                .post("/api/v1/handlers", "{\"name\":\"%s\",\"input_schema\":%s}".formatted(handler, SCHEMA))
                .expect(201);
        api.user("admin").post("/api/v1/handlers/" + handler + ":approve").expect(200);
        org.awaitility.Awaitility.await().until(() -> !create("{}").text().contains("unknown_handler"));
    }

    private Reply create(String payload) {
        return owner.post("/api/v1/tasks", body(handler, payload));
    }

    private static String body(String handler, String payload) {
        return "{\"name\":\"n\",\"handler\":\"%s\",\"schedule\":{\"type\":\"one_time\",\"delay\":\"PT1H\"},\"payload\":%s}"
                .formatted(handler, payload);
    }

    private static List<String> pointers(Reply reply) {
        var pointers = new ArrayList<String>();
        for (JsonNode error : reply.json().path("errors")) {
            pointers.add(error.path("pointer").asString());
        }
        return pointers;
    }
}
