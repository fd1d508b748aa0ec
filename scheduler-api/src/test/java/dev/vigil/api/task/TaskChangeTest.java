package dev.vigil.api.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.Api;
import dev.vigil.api.Api.Reply;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// Changes of tasks, and running them out of turn. No core runs here: what an owner does with a command is tested with
/// the engine.
class TaskChangeTest {
    private static final String CRON = "{\"type\":\"cron\",\"cron\":\"30 2 * * *\",\"timezone\":\"Europe/Berlin\"}";

    private final Api api = Api.shared();
    private final Api.Http owner = api.user("scheduler");

    @Test
    void a_patch_changes_what_it_names_and_nothing_else_and_gives_a_new_etag() {
        String id = create(CRON, ",\"labels\":{\"a\":\"1\",\"b\":\"2\"},\"retry\":{\"max_attempts\":3}");

        Reply reply = patch(id, "\"1\"", """
                {"priority":"high","labels":{"a":null,"c":"3"},"schedule":{"overlap":"allow"},"timeout":"PT5M"}""");

        JsonNode task = reply.expect(200);
        assertThat(reply.header("ETag")).isEqualTo("\"2\"");
        assertThat(task.path("version").asInt()).isEqualTo(2);
        assertThat(task.path("priority").asString()).isEqualTo("high");
        assertThat(task.path("timeout").asString()).isEqualTo("PT5M");
        assertThat(task.path("labels").size()).isEqualTo(2);
        assertThat(task.path("labels").path("b").asString()).isEqualTo("2");
        assertThat(task.path("labels").path("c").asString()).isEqualTo("3");
        assertThat(task.path("schedule").path("overlap").asString()).isEqualTo("allow");
        assertThat(task.path("schedule").path("cron").asString()).isEqualTo("30 2 * * *");
        assertThat(task.path("schedule").path("timezone").asString()).isEqualTo("Europe/Berlin");
        assertThat(task.path("retry").path("max_attempts").asInt()).isEqualTo(3);
        assertThat(owner.get("/api/v1/tasks/" + id).json()).isEqualTo(task);
        assertThat(payload(id)).isEqualTo("{\"n\":1}");
        assertThat(api.events()).contains("task_updated");
    }

    @Test
    void a_new_payload_replaces_the_old_one_and_opens_again() {
        String id = create(CRON, ",\"subject\":\"customer-%s\"".formatted(UUID.randomUUID()));

        patch(id, "*", "{\"payload\":{\"m\":[1,2.50]}}").expect(200);

        assertThat(payload(id)).isEqualTo("{\"m\":[1,2.50]}");
    }

    @Test
    void another_handler_gets_the_payload_sealed_for_it() {
        String id = create(CRON, "");

        JsonNode task = patch(id, "*", "{\"handler\":\"backup.database\"}").expect(200);

        assertThat(task.path("handler").asString()).isEqualTo("backup.database");
        assertThat(payload(id)).isEqualTo("{\"n\":1}");
    }

    @Test
    void a_patch_without_if_match_is_428_with_an_old_one_412_and_404_comes_first() {
        String id = create(CRON, "");
        patch(id, "\"1\"", "{\"name\":\"x\"}").expect(200);

        assertThat(owner.call("PATCH", "/api/v1/tasks/" + id, "{\"name\":\"y\"}")
                        .code())
                .isEqualTo("if_match_required");
        assertThat(patch(id, "\"1\"", "{\"name\":\"y\"}").status()).isEqualTo(412);
        assertThat(patch(id, "\"7\", \"2\"", "{\"name\":\"y\"}").status()).isEqualTo(200);
        assertThat(api.user("scheduler")
                        .call("PATCH", "/api/v1/tasks/" + id, "{\"name\":\"y\"}")
                        .status())
                .isEqualTo(404);
        assertThat(api.user("operator")
                        .call("PATCH", "/api/v1/tasks/" + id, "{}")
                        .status())
                .isEqualTo(403);
    }

    @Test
    void an_impossible_patch_is_refused_with_pointers_and_changes_nothing() {
        String id = create(CRON, "");

        assertPointer(patch(id, "*", "{\"schedule\":{\"cron\":\"61 * * * *\"}}"), 422, "/schedule/cron");
        assertPointer(
                patch(id, "*", "{\"schedule\":{\"type\":\"interval\",\"every\":\"PT1H\"}}"), 422, "/schedule/type");
        assertPointer(patch(id, "*", "{\"subject\":\"somebody\"}"), 422, "/subject");
        assertPointer(patch(id, "*", "{\"handler\":\"demo.ekko\"}"), 422, "/handler");
        assertPointer(patch(id, "*", "{\"name\":null}"), 422, "/name");
        assertPointer(patch(id, "*", "{\"state\":\"paused\"}"), 400, "/state");
        assertPointer(patch(id, "*", "{\"schedule\":{\"every\":\"PT1H\"}}"), 400, "/schedule/every");
        assertThat(owner.get("/api/v1/tasks/" + id).json().path("version").asInt())
                .isEqualTo(1);
    }

    @Test
    void a_one_time_task_can_be_moved_by_time_and_by_delay() {
        String id = create("{\"type\":\"one_time\",\"at\":\"2090-01-01T00:00:00.123456Z\"}", "");

        assertThat(patch(id, "*", "{\"name\":\"renamed\"}")
                        .expect(200)
                        .path("next_fire_at")
                        .asString())
                .isEqualTo("2090-01-01T00:00:00.123Z");
        assertThat(patch(id, "*", "{\"schedule\":{\"delay\":\"PT2H\"}}")
                        .expect(200)
                        .path("schedule")
                        .path("at")
                        .asString())
                .startsWith("20")
                .doesNotStartWith("2090");
        assertThat(patch(id, "*", "{\"schedule\":{\"at\":\"2091-01-01T00:00:00Z\"}}")
                        .expect(200)
                        .path("next_fire_at")
                        .asString())
                .isEqualTo("2091-01-01T00:00:00Z");
    }

    @Test
    void a_dry_run_of_each_change_checks_and_changes_nothing() {
        String id = create(CRON, "");
        String path = "/api/v1/tasks/" + id;
        String before = owner.get(path).text();

        Reply patched = owner.call("PATCH", path + "?dry_run=true", "{\"priority\":\"low\"}", "If-Match", "*");

        assertThat(patched.expect(200).path("priority").asString()).isEqualTo("low");
        assertThat(patched.json().path("dry_run").asBoolean()).isTrue();
        for (String verb : new String[] {":pause", ":resume", ":trigger"}) {
            Reply reply = owner.post(path + verb + "?dry_run=true");
            assertThat(reply.expect(200).path("dry_run").asBoolean()).as(verb).isTrue();
        }
        assertThat(owner.call("DELETE", path + "?dry_run=true", null, "If-Match", "*")
                        .expect(200)
                        .path("dry_run")
                        .asBoolean())
                .isTrue();
        assertThat(owner.call("DELETE", path + "?dry_run=true", null).status()).isEqualTo(428);
        assertThat(owner.call("PATCH", path + "?dry_run=true", "{\"priority\":\"x\"}", "If-Match", "*")
                        .status())
                .isEqualTo(422);
        assertThat(owner.post(path + ":pause?dry_run=perhaps").status()).isEqualTo(422);
        assertThat(owner.get(path).text()).isEqualTo(before);
    }

    @Test
    void a_trigger_gives_the_execution_and_the_same_key_the_same_one() {
        String id = create(CRON, "");
        String key = UUID.randomUUID().toString();

        Reply first = owner.call("POST", "/api/v1/tasks/" + id + ":trigger", null, "Idempotency-Key", key);
        Reply again = owner.call("POST", "/api/v1/tasks/" + id + ":trigger", null, "Idempotency-Key", key);

        String execution = first.expect(202).path("execution_id").asString();
        assertThat(execution).startsWith("exe_");
        assertThat(again.expect(202).path("execution_id").asString()).isEqualTo(execution);
        assertThat(again.header("Idempotent-Replayed")).isEqualTo("true");
        api.execute("UPDATE access.idempotency SET answer = NULL, busy_until = clock_timestamp()");
        Reply afterCrash = owner.call("POST", "/api/v1/tasks/" + id + ":trigger", null, "Idempotency-Key", key);
        assertThat(afterCrash.expect(202).path("execution_id").asString()).isEqualTo(execution);
        assertThat(owner.post("/api/v1/tasks/" + id + ":trigger")
                        .expect(202)
                        .path("execution_id")
                        .asString())
                .isNotEqualTo(execution);
        assertThat(api.user("scheduler")
                        .post("/api/v1/tasks/" + id + ":trigger")
                        .status())
                .isEqualTo(404);
        assertThat(api.user("viewer").post("/api/v1/tasks/" + id + ":trigger").status())
                .isEqualTo(403);
        assertThat(api.user("operator").post("/api/v1/tasks/" + id + ":trigger").status())
                .isEqualTo(202);
    }

    @Test
    void a_paused_task_is_not_triggered() {
        String id = create(CRON, "");
        owner.post("/api/v1/tasks/" + id + ":pause").expect(200);

        assertThat(owner.post("/api/v1/tasks/" + id + ":trigger").status()).isEqualTo(409);
        assertThat(owner.post("/api/v1/tasks/" + id + ":trigger?dry_run=true").status())
                .isEqualTo(409);
    }

    @Test
    void permissions_hold_for_patch_and_trigger_as_for_create() {
        JsonNode made = api.admin()
                .post("/api/v1/service-accounts", """
                        {"name":"narrow-%s","role":"scheduler","requests_per_minute":1000,
                         "permissions":{"allowed_priorities":["medium"],"allowed_handlers":["demo.*"]}}""".formatted(UUID.randomUUID()))
                .expect(201);
        Api.Http narrow = api.bearer(api.token(
                        made.path("client_id").asString(),
                        made.path("client_secret").asString(),
                        "")
                .expect(200)
                .path("access_token")
                .asString());
        String id = narrow.post("/api/v1/tasks", body(CRON, ""))
                .expect(201)
                .path("id")
                .asString();
        String path = "/api/v1/tasks/" + id;

        assertThat(narrow.call("PATCH", path, "{\"priority\":\"critical\"}", "If-Match", "*")
                        .code())
                .isEqualTo("permission_denied");
        assertThat(narrow.call("PATCH", path, "{\"handler\":\"backup.database\"}", "If-Match", "*")
                        .code())
                .isEqualTo("permission_denied");
        assertThat(narrow.post(path + ":trigger").status()).isEqualTo(202);
        api.admin()
                .call("PATCH", path, "{\"priority\":\"critical\"}", "If-Match", "*")
                .expect(200);
        assertThat(narrow.post(path + ":trigger").code()).isEqualTo("permission_denied");
    }

    @Test
    void an_open_execution_is_not_retried() {
        String id = create("{\"type\":\"one_time\",\"delay\":\"PT1H\"}", "");
        String execution = owner.get("/api/v1/executions?task_id=" + id)
                .expect(200)
                .path("items")
                .path(0)
                .path("id")
                .asString();

        assertThat(owner.post("/api/v1/executions/" + execution + ":retry").status())
                .isEqualTo(409);
        assertThat(owner.post("/api/v1/executions/" + execution + ":retry?dry_run=true")
                        .status())
                .isEqualTo(409);
        assertThat(api.user("scheduler")
                        .post("/api/v1/executions/" + execution + ":retry")
                        .status())
                .isEqualTo(404);
    }

    private Reply patch(String id, String match, String body) {
        return owner.call("PATCH", "/api/v1/tasks/" + id, body, "If-Match", match);
    }

    private String create(String schedule, String more) {
        return owner.post("/api/v1/tasks", body(schedule, more))
                .expect(201)
                .path("id")
                .asString();
    }

    private static String body(String schedule, String more) {
        return "{\"name\":\"changed\",\"handler\":\"demo.echo\",\"schedule\":%s,\"payload\":{\"n\":1}%s}"
                .formatted(schedule, more);
    }

    private String payload(String id) {
        String text = owner.get("/api/v1/tasks/" + id + "?include=payload").text();
        return text.substring(text.indexOf("\"payload\":") + 10, text.length() - 1);
    }

    private static void assertPointer(Reply reply, int status, String pointer) {
        assertThat(reply.status()).as(reply.text()).isEqualTo(status);
        assertThat(reply.json().path("errors").path(0).path("pointer").asString())
                .isEqualTo(pointer);
    }
}
