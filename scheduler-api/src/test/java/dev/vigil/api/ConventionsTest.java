package dev.vigil.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.Api.Reply;
import dev.vigil.api.web.Access;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.RouteTable;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// The conventions of the REST contract, sentence by sentence. Idempotency-Key has [IdempotencyTest], bulk
/// [dev.vigil.api.task.BulkTest], what cannot be read [ErrorTest].
class ConventionsTest {
    private static final String HOSTILE = "$(reboot) `id` <script>alert(1)</script> '; DROP TABLE scheduler.task; --";
    private static final String LATER = "{\"type\":\"one_time\",\"delay\":\"PT1H\"}";

    private final Api api = Api.shared();
    private final Api.Http owner = api.user("scheduler");
    private final String tag = UUID.randomUUID().toString();

    @Test
    void errors_are_problem_json_from_filters_routes_and_handlers() {
        for (Reply reply : List.of(
                api.anonymous().get("/api/v1/tasks"),
                owner.get("/api/v1/users"),
                owner.get("/api/v1/nowhere"),
                owner.call("PUT", "/api/v1/tasks", "{}"),
                owner.get("/api/v1/tasks/tsk_nonsense"),
                owner.post("/api/v1/tasks", "{"),
                owner.post("/api/v1/tasks", "{}"))) {
            assertThat(reply.header("Content-Type")).startsWith("application/problem+json");
            JsonNode problem = reply.json();
            assertThat(problem.path("status").asInt()).isEqualTo(reply.status());
            for (String member : List.of("type", "title", "code", "detail", "instance", "request_id")) {
                assertThat(problem.path(member).asString("")).as(member).isNotEmpty();
            }
            assertThat(problem.path("request_id").asString()).isEqualTo(reply.header("X-Request-Id"));
        }
    }

    @Test
    void each_field_error_has_a_pointer_and_a_hint_where_there_is_one() {
        JsonNode handler = owner.post("/api/v1/tasks", task("n", LATER, "1").replace("demo.echo", "demo.ecko"))
                .expect(422)
                .path("errors");

        assertThat(handler.path(0).path("pointer").asString()).isEqualTo("/handler");
        assertThat(handler.path(0).path("code").asString()).isEqualTo("unknown_handler");
        assertThat(handler.path(0).path("hint").asString()).isEqualTo("did you mean demo.echo?");
        String broken = "{\"type\":\"cron\",\"cron\":\"* * *\",\"timezone\":\"Europe/Berln\"}";
        assertThat(owner.post("/api/v1/tasks", task("n", broken, "1")).text())
                .contains("day-of-month")
                .contains("did you mean Europe/Berlin?");
    }

    @Test
    void right_json_with_an_impossible_value_is_422_ids_of_the_wrong_kind_included() {
        assertThat(owner.get("/api/v1/executions?task_id=usr_01k9zzzzzzzzzzzzzzzzzzzzzz")
                        .status())
                .isEqualTo(422);
        assertThat(owner.get("/api/v1/executions?from=yesterday").status()).isEqualTo(422);
        assertThat(owner.get("/api/v1/tasks?type=weekly").status()).isEqualTo(422);
        for (String schedule : List.of(
                "{\"type\":\"one_time\",\"at\":\"2027-02-30T00:00:00Z\"}",
                "{\"type\":\"cron\",\"cron\":\"0 0 31 2 *\"}",
                "{\"type\":\"cron\",\"cron\":\"* * * * *\",\"timezone\":\"Mars/Base\"}",
                "{\"type\":\"interval\",\"every\":\"PT0S\"}")) {
            assertThat(owner.post("/api/v1/tasks", task("n", schedule, "1")).status())
                    .as(schedule)
                    .isEqualTo(422);
        }
    }

    @Test
    void a_time_that_cannot_be_reckoned_with_is_422() {
        for (String year : List.of("+999999999", "+300000", "-10000", "-999999999")) {
            String time = year + "-01-01T00:00:00Z";
            String encoded = Api.encode(time);
            assertThat(owner.get("/api/v1/executions?from=" + encoded).status()).isEqualTo(422);
            assertThat(owner.get("/api/v1/executions?to=" + encoded).status()).isEqualTo(422);
            String interval = "{\"type\":\"interval\",\"every\":\"PT30S\",\"anchor\":\"%s\"}".formatted(time);
            assertThat(owner.post("/api/v1/tasks", task("n", interval, "1")).status())
                    .isEqualTo(422);
            assertThat(owner.post(
                                    "/api/v1/schedules:preview",
                                    "{\"schedule\":{\"type\":\"interval\",\"every\":\"PT1S\"},\"from\":\"%s\"}"
                                            .formatted(time))
                            .status())
                    .isEqualTo(422);
        }
        assertThat(owner.get("/api/v1/executions?from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z")
                        .status())
                .isEqualTo(200);
        Reply distant = owner.post(
                "/api/v1/tasks",
                task("n", "{\"type\":\"interval\",\"every\":\"PT30S\",\"anchor\":\"2999-01-01T00:00:00Z\"}", "1"));
        assertThat(distant.status()).isEqualTo(422);
        assertThat(distant.json().path("errors").path(0).path("pointer").asString())
                .isEqualTo("/schedule/anchor");
    }

    @Test
    void half_a_character_is_422_in_labels_and_lists_too() {
        String half = "\\ud800";

        Reply labels = owner.post(
                "/api/v1/tasks",
                "{\"name\":\"n\",\"handler\":\"demo.echo\",\"schedule\":%s,\"payload\":1,\"labels\":{\"a\":\"%s\"}}"
                        .formatted(LATER, half));
        Reply list = api.admin().post("/api/v1/users", """
                        {"username":"half-%s","role":"viewer","permissions":{"allowed_handlers":["%s"]}}""".formatted(tag, half));

        assertThat(labels.status()).isEqualTo(422);
        assertThat(list.status()).isEqualTo(422);
    }

    @Test
    void payload_values_are_never_echoed() {
        for (String body : List.of(
                task("n", "{\"type\":\"cron\",\"cron\":\"x\"}", "{\"a\":\"canary-value\"}"),
                task("n", LATER, "{\"a\":\"canary-value\",}"),
                task("n", LATER, "{\"canary-value\":1,\"canary-value\":2}"))) {
            Reply reply = owner.post("/api/v1/tasks", body);

            assertThat(reply.status()).isIn(400, 422);
            assertThat(reply.text()).doesNotContain("canary-value");
        }
    }

    @Test
    void a_payload_of_1_048_576_bytes_is_taken_and_one_byte_more_is_413() {
        String largest = "\"" + "x".repeat(1_048_574) + "\"";

        assertThat(owner.post("/api/v1/tasks", task("n", LATER, largest)).status())
                .isEqualTo(201);
        Reply tooLarge = owner.post("/api/v1/tasks", task("n", LATER, largest.replaceFirst("x", "xx")));
        assertThat(tooLarge.status()).isEqualTo(413);
        assertThat(tooLarge.code()).isEqualTo("too_large");
    }

    @Test
    void nesting_up_to_64_is_read_and_deeper_is_400() {
        assertThat(owner.post("/api/v1/tasks", task("n", LATER, "[".repeat(63) + "]".repeat(63)))
                        .status())
                .isEqualTo(201);
        assertThat(owner.post("/api/v1/tasks", task("n", LATER, "[".repeat(65) + "]".repeat(65)))
                        .status())
                .isEqualTo(400);
    }

    @Test
    void lists_are_newest_first_by_keyset_so_that_what_is_new_moves_no_page() {
        for (int i = 0; i < 4; i++) {
            create("n" + i);
        }
        JsonNode first = owner.get("/api/v1/tasks?limit=2").expect(200);
        create("newer");

        JsonNode second = owner.get(
                        "/api/v1/tasks?limit=2&after=" + first.path("next").asString())
                .expect(200);

        assertThat(all(first, "name")).containsExactly("n3", "n2");
        assertThat(all(second, "name")).containsExactly("n1", "n0");
        assertThat(second.path("next").isNull()).isTrue();
        assertThat(all(owner.get("/api/v1/tasks?sort=created_at&limit=1").expect(200), "name"))
                .containsExactly("n0");
    }

    @Test
    void cursors_are_tamper_proof_and_belong_to_their_list_and_another_sort_is_400() {
        create("a");
        create("b");
        String cursor =
                owner.get("/api/v1/tasks?limit=1").expect(200).path("next").asString();

        char last = cursor.charAt(cursor.length() - 1);
        String undecoded = cursor.substring(0, cursor.length() - 1) + (char) (last + 1);
        assertThat(owner.get("/api/v1/tasks?limit=1&after=" + undecoded).code())
                .as("bits that a decoder passes over")
                .isEqualTo("bad_cursor");
        for (int i = 0; i < cursor.length() - 1; i += 7) {
            char other = cursor.charAt(i) == 'A' ? 'B' : 'A';
            String changed = cursor.substring(0, i) + other + cursor.substring(i + 1);
            assertThat(owner.get("/api/v1/tasks?limit=1&after=" + changed).code())
                    .isEqualTo("bad_cursor");
        }
        assertThat(api.user("scheduler")
                        .get("/api/v1/tasks?limit=1&after=" + cursor)
                        .code())
                .isEqualTo("bad_cursor");
        assertThat(owner.get("/api/v1/executions?after=" + cursor).code()).isEqualTo("bad_cursor");
        assertThat(owner.get("/api/v1/tasks?sort=priority").code()).isEqualTo("bad_sort");
    }

    @Test
    void tasks_are_filtered_by_state_type_handler_priority_label_creator_namespace_and_name() {
        String wanted = owner.post("/api/v1/tasks", """
                        {"name":"wanted-%s","handler":"backup.database","schedule":{"type":"interval","every":"PT1H"},
                         "priority":"high","labels":{"team":"dba"},"payload":1}""".formatted(tag))
                .expect(201)
                .path("id")
                .asString();
        create("other");
        owner.post("/api/v1/tasks/" + wanted + ":pause").expect(200);
        String creator = owner.get("/api/v1/me").expect(200).path("id").asString();

        for (String filter : List.of(
                "state=paused",
                "type=interval",
                "handler=backup.database",
                "priority=high",
                "label=team%3Ddba",
                "name=wanted-" + tag,
                "type=interval&created_by=" + creator,
                "priority=high&namespace=default")) {
            assertThat(ids("tasks?" + filter)).as(filter).containsExactly(wanted);
        }
        assertThat(ids("tasks?namespace=elsewhere")).isEmpty();
        assertThat(ids("tasks?state=finished")).isEmpty();
    }

    @Test
    void executions_are_filtered_by_task_state_handler_worker_and_time() {
        String task = create("a");
        create("b");
        String soon = InstantSource.system().instant().plusSeconds(1800).toString();

        assertThat(all(owner.get("/api/v1/executions?task_id=" + task).expect(200), "task_id"))
                .containsExactly(task);
        assertThat(ids("executions?state=queued&handler=demo.echo")).hasSize(2);
        assertThat(ids("executions?state=running")).isEmpty();
        assertThat(ids("executions?handler=backup.database")).isEmpty();
        assertThat(ids("executions?from=" + soon)).hasSize(2);
        assertThat(ids("executions?to=" + soon)).isEmpty();
        assertThat(ids("executions?worker_id=wrk_01k9zzzzzzzzzzzzzzzzzzzzzz")).isEmpty();
    }

    @Test
    void a_get_after_the_answer_sees_the_change() {
        String path = "/api/v1/tasks/" + create("a");

        owner.call("PATCH", path, "{\"name\":\"b\"}", "If-Match", "*").expect(200);
        assertThat(owner.get(path).expect(200).path("name").asString()).isEqualTo("b");
        owner.post(path + ":pause").expect(200);
        assertThat(owner.get(path).expect(200).path("state").asString()).isEqualTo("paused");
        assertThat(owner.call("DELETE", path, null, "If-Match", "*").status()).isEqualTo(204);
        assertThat(owner.get(path).status()).isEqualTo(404);
        assertThat(ids("tasks")).isEmpty();
    }

    @Test
    void delete_needs_if_match_404_comes_before_412_and_428_and_a_star_is_allowed() {
        String path = "/api/v1/tasks/" + create("a");
        Api.Http stranger = api.user("scheduler");

        assertThat(owner.call("DELETE", path, null).status()).isEqualTo(428);
        assertThat(owner.call("DELETE", path, null, "If-Match", "\"99\"").status())
                .isEqualTo(412);
        assertThat(stranger.call("DELETE", path, null).status()).isEqualTo(404);
        assertThat(stranger.call("DELETE", path, null, "If-Match", "\"99\"").status())
                .isEqualTo(404);
        assertThat(owner.call("DELETE", path, null, "If-Match", "*").status()).isEqualTo(204);
    }

    @Test
    void writes_of_what_is_managed_here_can_be_tried_with_dry_run() {
        var without = new ArrayList<String>();
        for (Route route : api.context().getBean(RouteTable.class).routes()) {
            boolean concerned = route.template()
                    .matches("/api/v1/(tasks|executions|users|service-accounts|api-keys|namespaces|handlers"
                            + "|workers|secrets)\\b.*");
            if (concerned
                    && route.access() instanceof Access.Bearer
                    && !route.method().equals("GET")
                    && route.writing().dryRun() == Route.Means.NONE) {
                without.add(route.method() + " " + route.template());
            }
        }

        assertThat(without).isEmpty();
    }

    @Test
    void a_dry_run_makes_the_same_checks_says_so_and_stores_nothing() {
        Reply tried = owner.post("/api/v1/tasks?dry_run=true", task("dry-" + tag, LATER, "1"));

        assertThat(tried.expect(200).path("dry_run").asBoolean()).isTrue();
        assertThat(Instant.parse(tried.json().path("next_fire_at").asString())).isAfter(Instant.EPOCH);
        assertThat(tried.json().has("id")).isFalse();
        assertThat(tried.header("Location")).isEmpty();
        assertThat(owner.post(
                                "/api/v1/tasks?dry_run=true",
                                task("n", LATER, "1").replace("demo.echo", "no.such"))
                        .status())
                .isEqualTo(422);
        assertThat(ids("tasks")).isEmpty();
        Api.Http admin = api.admin();
        String user = "{\"username\":\"dry-%s\",\"role\":\"viewer\"}".formatted(tag);
        assertThat(admin.post("/api/v1/users?dry_run=true", user)
                        .expect(200)
                        .path("dry_run")
                        .asBoolean())
                .isTrue();
        assertThat(api.query("SELECT count(*) FROM access.principal WHERE username LIKE '%" + tag + "'", Long.class))
                .isZero();
        admin.post("/api/v1/users", user).expect(201);
        assertThat(admin.post("/api/v1/users?dry_run=true", user).status()).isEqualTo(409);
    }

    @Test
    void text_that_means_something_elsewhere_is_accepted_and_inert() {
        String label = HOSTILE.substring(0, 40);
        String id = owner.post(
                        "/api/v1/tasks",
                        "{\"name\":\"%s\",\"handler\":\"demo.echo\",\"schedule\":%s,\"payload\":\"%s\",\"labels\":{\"%s\":\"%s\"}}"
                                .formatted(HOSTILE, LATER, HOSTILE, label, HOSTILE))
                .expect(201)
                .path("id")
                .asString();

        JsonNode read = owner.get("/api/v1/tasks/" + id + "?include=payload").expect(200);
        assertThat(read.path("name").asString()).isEqualTo(HOSTILE);
        assertThat(read.path("payload").asString()).isEqualTo(HOSTILE);
        assertThat(read.path("labels").path(label).asString()).isEqualTo(HOSTILE);
        assertThat(ids("tasks?name=" + Api.encode(HOSTILE))).containsExactly(id);
    }

    @Test
    void every_list_takes_the_sort_it_has_and_names_it_when_asked_for_another() {
        Api.Http admin = api.admin();
        List<String> lists = api.context().getBean(RouteTable.class).routes().stream()
                .filter(route -> route.method().equals("GET")
                        && route.operation().answers().getOrDefault(200, "").endsWith("Page")
                        && !route.template().matches("/api/v1/(audit|gdpr)/.*|.*[{].*"))
                .map(Route::template)
                .toList();

        assertThat(lists)
                .contains(
                        "/api/v1/tasks", "/api/v1/executions", "/api/v1/users", "/api/v1/api-keys", "/api/v1/secrets");
        assertThat(lists).allSatisfy(list -> {
            assertThat(admin.get(list + "?limit=1&sort=-created_at").status()).isEqualTo(200);
            for (String other : List.of("name", "due_at", "")) {
                Reply refused = admin.get(list + "?sort=" + other);
                assertThat(refused.status()).isEqualTo(400);
                assertThat(refused.code()).isEqualTo("bad_sort");
                assertThat(refused.json().path("detail").asString()).contains("sort=-created_at");
            }
        });
    }

    @Test
    void handlers_namespaces_and_join_tokens_come_in_pages_newest_first() {
        Api.Http admin = api.admin();
        for (int i = 0; i < 3; i++) {
            admin.post("/api/v1/handlers", "{\"name\":\"page%d.n%s\"}".formatted(i, tag))
                    .expect(201);
            admin.post("/api/v1/namespaces", "{\"name\":\"page%d-%s\"}".formatted(i, tag))
                    .expect(201);
            admin.post("/api/v1/workers/join-tokens", "{\"group\":\"page%d\"}".formatted(i))
                    .expect(201);
        }

        for (String list : List.of("handlers name", "namespaces name", "workers/join-tokens group")) {
            String path = "/api/v1/" + list.split(" ")[0];
            String member = list.split(" ")[1];
            JsonNode first = admin.get(path + "?limit=2").expect(200);
            JsonNode second = admin.get(
                            path + "?limit=1&after=" + first.path("next").asString())
                    .expect(200);
            assertThat(all(first, member)).as(path).hasSize(2).allMatch(value -> value.startsWith("page"));
            assertThat(all(first, member).getFirst()).startsWith("page2");
            assertThat(all(second, member).getFirst()).startsWith("page0");
            assertThat(admin.get(path + "?after=bm9uZQ").code()).isEqualTo("bad_cursor");
        }
    }

    @Test
    void an_execution_that_does_not_run_says_why() {
        String task = create("a");
        String path = "/api/v1/executions/" + ids("executions?task_id=" + task).getFirst() + "/explain";

        JsonNode explained = owner.get(path).expect(200);

        assertThat(explained.path("state").asString()).isEqualTo("queued");
        assertThat(explained.path("reasons").path(0).path("code").asString()).isNotEmpty();
        assertThat(explained.path("reasons").path(0).path("detail").asString()).isNotEmpty();
        assertThat(api.user("scheduler").get(path).status()).isEqualTo(404);
    }

    private String create(String name) {
        return owner.post("/api/v1/tasks", task(name, LATER, "1"))
                .expect(201)
                .path("id")
                .asString();
    }

    private static String task(String name, String schedule, String payload) {
        return "{\"name\":\"%s\",\"handler\":\"demo.echo\",\"schedule\":%s,\"payload\":%s}"
                .formatted(name, schedule, payload);
    }

    private List<String> ids(String list) {
        return all(owner.get("/api/v1/" + list).expect(200), "id");
    }

    private static List<String> all(JsonNode page, String member) {
        var values = new ArrayList<String>();
        page.path("items").forEach(item -> values.add(item.path(member).asString()));
        return values;
    }
}
