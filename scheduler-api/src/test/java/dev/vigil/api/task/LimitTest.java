package dev.vigil.api.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.Api;
import dev.vigil.api.Api.Reply;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// What admins limit namespaces and handlers to. That the engine keeps to it is shown in its own tests.
class LimitTest {
    private final Api api = Api.shared();
    private final Api.Http admin = api.admin();

    @Test
    void a_limit_is_set_shown_changed_and_taken_away_and_each_change_has_its_version() {
        String limits = namespace("limits-of-their-own");
        Reply none = admin.get(limits);
        assertThat(none.expect(200).path("max_concurrent").isNull()).isTrue();
        assertThat(none.expect(200).path("now").path("running").asInt()).isZero();

        Reply set = patch(limits, "{\"max_concurrent\":10}", etag(none));
        assertThat(set.expect(200).path("max_concurrent").asInt()).isEqualTo(10);
        assertThat(patch(limits, "{\"max_concurrent\":11}", etag(none)).status())
                .isEqualTo(412);
        assertThat(admin.get(limits).expect(200).path("max_concurrent").asInt()).isEqualTo(10);
        assertThat(patch(limits, "{\"max_concurrent\":12}", etag(set)).status()).isEqualTo(200);
        JsonNode gone = patch(limits, "{\"max_concurrent\":null}", "*").expect(200);

        assertThat(gone.path("max_concurrent").isNull()).isTrue();
        assertThat(admin.get(limits).expect(200)).isEqualTo(gone);
    }

    @Test
    void a_rate_and_a_weight_are_set_beside_it_and_a_part_of_the_rate_may_change() {
        String limits = namespace("limits-of-starts");
        patch(limits, "{\"max_concurrent\":4,\"rate\":{\"max_starts\":100,\"per\":\"PT1M\"},\"weight\":3}", "*")
                .expect(200);

        JsonNode changed = patch(limits, "{\"rate\":{\"max_starts\":50}}", "*").expect(200);
        assertThat(changed.path("rate").path("max_starts").asInt()).isEqualTo(50);
        assertThat(changed.path("rate").path("per").asString()).isEqualTo("PT1M");
        assertThat(changed.path("weight").asInt()).isEqualTo(3);
        assertThat(changed.path("max_concurrent").asInt()).isEqualTo(4);
        assertThat(changed.path("now").path("starts_left").asInt()).isEqualTo(50);

        JsonNode gone = patch(limits, "{\"rate\":null,\"weight\":null}", "*").expect(200);
        assertThat(gone.path("rate").isNull()).isTrue();
        assertThat(gone.path("weight").asInt()).isOne();
        assertThat(gone.path("now").path("starts_left").isNull()).isTrue();
    }

    @Test
    void a_handler_is_limited_alike_and_one_that_nobody_registered_is_not_there() {
        String limits = "/api/v1/handlers/demo.secret/limits";

        assertThat(patch(limits, "{\"max_concurrent\":1000}", "*")
                        .expect(200)
                        .path("max_concurrent")
                        .asInt())
                .isEqualTo(1000);
        assertThat(patch(limits, "{\"weight\":2}", "*").status()).isEqualTo(400);
        assertThat(admin.get("/api/v1/handlers/no.such/limits").status()).isEqualTo(404);
        assertThat(patch("/api/v1/handlers/no.such/limits", "{}", null).status())
                .isEqualTo(404);
        assertThat(admin.get("/api/v1/namespaces/no-such/limits").status()).isEqualTo(404);
    }

    @Test
    void a_change_that_names_no_version_or_is_only_tried_changes_nothing() {
        String limits = namespace("limits-unchanged");

        assertThat(patch(limits, "{\"max_concurrent\":5}", null).status()).isEqualTo(428);
        assertThat(patch(limits + "?dry_run=true", "{\"max_concurrent\":5}", "*")
                        .expect(200)
                        .path("max_concurrent")
                        .asInt())
                .isEqualTo(5);

        assertThat(admin.get(limits).expect(200).path("max_concurrent").isNull())
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"max_concurrent\":-1}",
                "{\"max_concurrent\":\"3\"}",
                "{\"max_concurrent\":1000001}",
                "{\"weight\":0}",
                "{\"rate\":{\"max_starts\":1}}",
                "{\"rate\":{\"max_starts\":0,\"per\":\"PT1M\"}}",
                "{\"rate\":{\"max_starts\":1,\"per\":\"PT0.5S\"}}",
                "{\"rate\":{\"max_starts\":1,\"per\":\"P2D\"}}"
            })
    void an_impossible_limit_is_refused(String body) {
        assertThat(patch("/api/v1/namespaces/default/limits", body, "*").status())
                .isEqualTo(422);
    }

    @Test
    void only_admins_read_and_change_limits() {
        for (String limits : new String[] {"/api/v1/namespaces/default/limits", "/api/v1/handlers/demo.echo/limits"}) {
            assertThat(api.client().get(limits).status()).isEqualTo(403);
            assertThat(api.client()
                            .call("PATCH", limits, "{\"max_concurrent\":0}", "If-Match", "*")
                            .status())
                    .isEqualTo(403);
            assertThat(admin.get(limits).status()).isEqualTo(200);
        }
    }

    private String namespace(String name) {
        admin.post("/api/v1/namespaces", "{\"name\":\"" + name + "\"}").expect(201);
        return "/api/v1/namespaces/" + name + "/limits";
    }

    private Reply patch(String path, String body, @Nullable String match) {
        return match == null ? admin.call("PATCH", path, body) : admin.call("PATCH", path, body, "If-Match", match);
    }

    private static String etag(Reply reply) {
        return reply.header("ETag");
    }
}
