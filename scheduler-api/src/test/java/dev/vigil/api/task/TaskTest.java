package dev.vigil.api.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.Api;
import dev.vigil.api.Api.Reply;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class TaskTest {
    private final Api api = Api.shared();
    private final Api.Http client = api.client();

    @Test
    void a_created_task_has_its_defaults_a_location_and_an_etag() {
        Reply reply = client.post("/api/v1/tasks", """
                {"name":"hello","handler":"demo.echo","schedule":{"type":"one_time","delay":"PT1H"},
                 "payload":{"a":[1,2.50,"x"]},"labels":{"team":"dba"}}""");

        JsonNode task = reply.expect(201);
        assertThat(task.path("id").asString()).matches("tsk_[0-9a-hjkmnp-tv-z]{26}");
        assertThat(reply.header("Location"))
                .isEqualTo("/api/v1/tasks/" + task.path("id").asString());
        assertThat(reply.header("ETag")).isEqualTo("\"1\"");
        assertThat(task.path("type").asString()).isEqualTo("one_time");
        assertThat(task.path("state").asString()).isEqualTo("scheduled");
        assertThat(task.path("priority").asString()).isEqualTo("medium");
        assertThat(task.path("timeout").asString()).isEqualTo("PT15M");
        assertThat(task.path("retry").path("max_attempts").asInt()).isEqualTo(1);
        assertThat(task.path("schedule").path("misfire").asString()).isEqualTo("latest");
        assertThat(task.path("schedule").path("overlap").asString()).isEqualTo("skip");
        assertThat(task.path("labels").path("team").asString()).isEqualTo("dba");
        assertThat(task.path("version").asInt()).isEqualTo(1);
        assertThat(Instant.parse(task.path("next_fire_at").asString())).isAfter(Instant.EPOCH);
        assertThat(task.has("payload")).isFalse();
    }

    @Test
    void its_owner_reads_the_payload_as_he_sent_it_and_nobody_else_finds_it() {
        JsonNode task = client.post("/api/v1/tasks", """
                {"name":"mine","handler":"demo.echo","schedule":{"type":"one_time","delay":"PT1H"},
                 "payload": {"a" : 1.50, "b":"\\u00e4"} }""").expect(201);

        Reply read = client.get("/api/v1/tasks/" + task.path("id").asString() + "?include=payload");

        assertThat(read.expect(200).path("payload").path("b").asString()).isEqualTo("ä");
        assertThat(read.text()).contains("{\"a\" : 1.50, \"b\":\"\\u00e4\"}");
    }
}
