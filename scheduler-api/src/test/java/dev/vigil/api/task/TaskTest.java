package dev.vigil.api.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.Api;
import dev.vigil.api.Api.Reply;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class TaskTest {
    private static final String LATER = "{\"type\":\"one_time\",\"delay\":\"PT1H\"}";

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
        assertThat(api.events())
                .contains("task_created")
                .contains(task.path("id").asString());
    }

    @Test
    void its_owner_reads_the_payload_as_he_sent_it_and_that_is_on_record() {
        String id = create("mine", LATER, "{\"a\" : 1.50, \"b\":\"\\u00e4\"}");

        Reply read = client.get("/api/v1/tasks/" + id + "?include=payload");

        assertThat(read.expect(200).path("payload").path("b").asString()).isEqualTo("ä");
        assertThat(read.text()).contains("{\"a\" : 1.50, \"b\":\"\\u00e4\"}");
        assertThat(api.events()).contains("payload_viewed");
    }

    @Test
    void a_payload_and_its_subject_stand_nowhere_in_the_database_while_the_name_does() {
        client.post("/api/v1/tasks", """
                {"name":"canary-name","handler":"demo.echo","schedule":{"type":"one_time","delay":"PT1H"},
                 "subject":"canary-subject","payload":{"secret":"canary-payload"}}""").expect(201);

        assertThat(occurrences("canary-name")).isPositive();
        assertThat(occurrences("canary-subject")).isZero();
        assertThat(occurrences("canary-payload")).isZero();
    }

    @Test
    void a_stranger_finds_nothing_and_an_admin_everything() {
        String id = create("private", LATER, "1");
        Api.Http stranger = api.user("scheduler");

        for (String call : List.of("GET", "DELETE")) {
            assertThat(stranger.call(call, "/api/v1/tasks/" + id, null, "If-Match", "*")
                            .status())
                    .isEqualTo(404);
        }
        assertThat(stranger.post("/api/v1/tasks/" + id + ":pause").status()).isEqualTo(404);
        assertThat(stranger.get("/api/v1/tasks").text()).doesNotContain(id);
        assertThat(api.admin().get("/api/v1/tasks/" + id + "?include=payload").status())
                .isEqualTo(200);
    }

    @Test
    void a_viewer_reads_but_opens_and_changes_nothing_and_an_operator_pauses() {
        String id = create("seen", LATER, "1");
        Api.Http viewer = api.user("viewer");
        Api.Http operator = api.user("operator");

        assertThat(viewer.get("/api/v1/tasks/" + id).status()).isEqualTo(200);
        assertThat(viewer.get("/api/v1/tasks/" + id + "?include=payload").code())
                .isEqualTo("permission_denied");
        assertThat(viewer.post("/api/v1/tasks/" + id + ":pause").status()).isEqualTo(403);
        assertThat(operator.post("/api/v1/tasks/" + id + ":pause").status()).isEqualTo(200);
        assertThat(operator.call("DELETE", "/api/v1/tasks/" + id, null, "If-Match", "*")
                        .code())
                .isEqualTo("role_missing");
    }

    @Test
    void pause_and_resume_are_seen_by_the_next_read() {
        String id = create("pausing", LATER, "1");

        JsonNode paused = client.post("/api/v1/tasks/" + id + ":pause").expect(200);
        String read =
                client.get("/api/v1/tasks/" + id).expect(200).path("state").asString();
        JsonNode resumed = client.post("/api/v1/tasks/" + id + ":resume").expect(200);

        assertThat(paused.path("state").asString()).isEqualTo("paused");
        assertThat(read).isEqualTo("paused");
        assertThat(resumed.path("state").asString()).isEqualTo("scheduled");
        assertThat(api.events()).contains("task_paused", "task_resumed");
    }

    @Test
    void a_delete_needs_the_version_and_is_final() {
        String id = create("leaving", LATER, "1");
        String path = "/api/v1/tasks/" + id;

        assertThat(client.call("DELETE", path, null).status()).isEqualTo(428);
        assertThat(client.call("DELETE", path, null, "If-Match", "\"7\"").status())
                .isEqualTo(412);
        assertThat(client.call("DELETE", path, null, "If-Match", "\"1\"").status())
                .isEqualTo(204);

        assertThat(client.get(path).status()).isEqualTo(404);
        assertThat(client.call("DELETE", path, null).status()).isEqualTo(404);
        assertThat(api.events()).contains("task_deleted");
    }

    @Test
    void a_mebibyte_of_payload_is_taken_and_one_byte_more_is_413() {
        String largest = "\"" + "x".repeat(TaskBody.PAYLOAD_BYTES_MAX - 2) + "\"";

        assertThat(post("largest", LATER, largest).status()).isEqualTo(201);
        assertThat(post("larger", LATER, largest.replaceFirst("x", "xx")).status())
                .isEqualTo(413);
        assertThat(post("huge", LATER, "\"" + "x".repeat(4 * TaskBody.PAYLOAD_BYTES_MAX) + "\"")
                        .code())
                .isEqualTo("too_large");
        // Counted in bytes as received, not in characters.
        assertThat(post("umlauts", LATER, "\"" + "ä".repeat(TaskBody.PAYLOAD_BYTES_MAX / 2) + "\"")
                        .status())
                .isEqualTo(413);
    }

    @Test
    void every_kind_of_json_is_a_payload() {
        for (String payload : List.of("null", "true", "12", "-1.5e3", "\"text\"", "[]", "{}", "[1,[2,[3]]]", "\"\"")) {
            String id = create("any", LATER, payload);
            assertThat(client.get("/api/v1/tasks/" + id + "?include=payload").text())
                    .contains("\"payload\":" + payload);
        }
        assertThat(client.post("/api/v1/tasks", "{\"name\":\"n\",\"handler\":\"demo.echo\",\"schedule\":" + LATER + "}")
                        .status())
                .isEqualTo(422);
    }

    @Test
    void text_that_looks_like_code_is_taken_and_inert() {
        for (String name : List.of("$(reboot)", "`id`", "<script>alert(1)</script>", "'; DROP TABLE task;--")) {
            String id = create(name, LATER, "\"" + name + "\"");
            assertThat(client.get("/api/v1/tasks/" + id)
                            .expect(200)
                            .path("name")
                            .asString())
                    .isEqualTo(name);
        }
        assertThat(client.get("/api/v1/tasks?name=" + Api.encode("'; DROP TABLE task;--"))
                        .expect(200)
                        .path("items")
                        .size())
                .isPositive();
    }

    @Test
    void an_unknown_handler_is_422() {
        Reply reply = client.post("/api/v1/tasks", """
                {"name":"n","handler":"no.such","schedule":{"type":"one_time"},"payload":1}""");

        assertThat(reply.status()).isEqualTo(422);
        assertThat(reply.json().path("errors").path(0).path("pointer").asString())
                .isEqualTo("/handler");
    }

    @Test
    void calendars_and_intervals_say_when_they_fire_next() {
        JsonNode cron = post("cron", """
                {"type":"cron","cron":"30 2 * * *","timezone":"Europe/Berlin"}""", "1").expect(201);
        JsonNode interval = post("interval", "{\"type\":\"interval\",\"every\":\"PT30S\"}", "1")
                .expect(201);

        assertThat(cron.path("type").asString()).isEqualTo("cron");
        assertThat(cron.path("schedule").path("timezone").asString()).isEqualTo("Europe/Berlin");
        assertThat(cron.path("next_fire_at").asString()).matches(".*T0[01]:30:00Z");
        assertThat(interval.path("schedule").path("every").asString()).isEqualTo("PT30S");
        assertThat(interval.path("next_fire_at").isNull()).isFalse();
        assertThat(post("never", "{\"type\":\"cron\",\"cron\":\"0 0 30 2 *\"}", "1")
                        .status())
                .isEqualTo(422);
    }

    @Test
    void permissions_bound_type_priority_handler_and_number() {
        JsonNode made = api.admin().post("/api/v1/service-accounts", """
                {"name":"bounded","role":"scheduler","permissions":{"allowed_task_types":["one_time"],
                 "allowed_priorities":["low","medium"],"allowed_handlers":["demo.*"],"max_tasks":2},
                 "requests_per_minute":1000}""").expect(201);
        Api.Http bounded = api.bearer(api.token(
                        made.path("client_id").asString(),
                        made.path("client_secret").asString(),
                        "")
                .expect(200)
                .path("access_token")
                .asString());

        assertThat(bounded.post(
                                "/api/v1/tasks",
                                body("n", "demo.echo", "{\"type\":\"interval\",\"every\":\"PT1H\"}", ""))
                        .code())
                .isEqualTo("permission_denied");
        assertThat(bounded.post("/api/v1/tasks", body("n", "demo.echo", LATER, ",\"priority\":\"high\""))
                        .code())
                .isEqualTo("permission_denied");
        assertThat(bounded.post("/api/v1/tasks", body("n", "backup.database", LATER, ""))
                        .code())
                .isEqualTo("permission_denied");
        bounded.post("/api/v1/tasks", body("first", "demo.echo", LATER, "")).expect(201);
        String second = bounded.post("/api/v1/tasks", body("second", "demo.echo", LATER, ""))
                .expect(201)
                .path("id")
                .asString();
        Reply third = bounded.post("/api/v1/tasks", body("third", "demo.echo", LATER, ""));
        assertThat(third.status()).isEqualTo(429);
        assertThat(third.code()).isEqualTo("quota_exceeded");
        assertThat(bounded.get("/api/v1/me")
                        .expect(200)
                        .path("usage")
                        .path("tasks")
                        .asInt())
                .isEqualTo(2);
        assertThat(bounded.get("/api/v1/tasks/" + second).status()).isEqualTo(200);
    }

    @Test
    void tasks_are_listed_in_pages_that_miss_none_and_a_cursor_belongs_to_its_list() {
        Api.Http owner = api.user("scheduler");
        var made = new ArrayList<String>();
        for (int i = 0; i < 7; i++) {
            made.add(owner.post(
                            "/api/v1/tasks", body("p" + i, "demo.echo", LATER, ",\"labels\":{\"n\":\"" + i % 2 + "\"}"))
                    .expect(201)
                    .path("id")
                    .asString());
        }
        var seen = new ArrayList<String>();
        String next = "";

        do {
            JsonNode page = owner.get("/api/v1/tasks?limit=3" + (next.isEmpty() ? "" : "&after=" + next))
                    .expect(200);
            page.path("items").forEach(task -> seen.add(task.path("id").asString()));
            next = page.path("next").isNull() ? "" : page.path("next").asString();
            if (!next.isEmpty()) {
                assertThat(owner.get("/api/v1/tasks?limit=3&type=cron&after=" + next)
                                .code())
                        .isEqualTo("bad_cursor");
                assertThat(client.get("/api/v1/tasks?limit=3&after=" + next).code())
                        .isEqualTo("bad_cursor");
            }
        } while (!next.isEmpty());

        assertThat(seen).isEqualTo(made.reversed());
        assertThat(owner.get("/api/v1/tasks?label=" + Api.encode("n=1"))
                        .expect(200)
                        .path("items")
                        .size())
                .isEqualTo(3);
        assertThat(owner.get("/api/v1/tasks?sort=created_at&limit=1").text()).contains(made.getFirst());
    }

    @Test
    void an_execution_is_there_as_soon_as_its_task_is_and_can_be_cancelled() {
        String id = create("waiting", LATER, "1");

        JsonNode page = client.get("/api/v1/executions?task_id=" + id).expect(200);

        assertThat(page.path("items").size()).isEqualTo(1);
        JsonNode execution = page.path("items").path(0);
        assertThat(execution.path("task_id").asString()).isEqualTo(id);
        assertThat(execution.path("id").asString()).startsWith("exe_");
        assertThat(execution.path("attempt").asInt()).isZero();
        Api.Http stranger = api.user("scheduler");
        String path = "/api/v1/executions/" + execution.path("id").asString();
        assertThat(stranger.get(path).status()).isEqualTo(404);
        // No core runs here, so nobody carries the cancellation out: it is promised, not done.
        assertThat(client.post(path + ":cancel").status()).isEqualTo(202);
        assertThat(api.events()).contains("task_cancelled");
    }

    private String create(String name, String schedule, String payload) {
        return post(name, schedule, payload).expect(201).path("id").asString();
    }

    private Reply post(String name, String schedule, String payload) {
        return client.post(
                "/api/v1/tasks",
                "{\"name\":\"%s\",\"handler\":\"demo.echo\",\"schedule\":%s,\"payload\":%s}"
                        .formatted(name, schedule, payload));
    }

    private static String body(String name, String handler, String schedule, String more) {
        return "{\"name\":\"%s\",\"handler\":\"%s\",\"schedule\":%s,\"payload\":1%s}"
                .formatted(name, handler, schedule, more);
    }

    /// In how many rows of all tables of ours a text occurs, bytes included.
    private long occurrences(String text) {
        long found = 0;
        String tables = api.query("""
                SELECT string_agg(format('%I.%I', schemaname, tablename), ' ') FROM pg_tables
                 WHERE schemaname IN ('scheduler', 'access', 'vault')""", String.class);
        for (String table : tables.split(" ")) {
            String hex = java.util.HexFormat.of().formatHex(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
            found += api.query(
                    "SELECT count(*) FROM " + table + " t WHERE t::text LIKE '%" + text + "%' OR t::text LIKE '%" + hex
                            + "%'",
                    Long.class);
        }
        return found;
    }
}
