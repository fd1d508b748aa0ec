package dev.vigil.api.vault;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.Api;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class HandlersTest {
    private static final Api API = Api.start(Map.of("vigil.bootstrap.approved-handlers", "demo.echo,demo.sleep"));

    private final Api.Http admin = API.admin();
    private final Handlers handlers = API.context().getBean(Handlers.class);

    @AfterAll
    static void stop() {
        API.close();
    }

    @Test
    void what_one_admin_proposes_is_in_force_when_another_approves_it() {
        JsonNode proposed = propose("backup.database", "\"isolation\":\"fresh\",\"timeout_max\":\"PT1H\"");
        assertThat(proposed.path("state").asString()).isEqualTo("pending");
        assertThat(handlers.find("backup.database")).isEmpty();

        Api.Reply own = admin.post("/api/v1/handlers/backup.database:approve");
        assertThat(own.status()).isEqualTo(403);

        JsonNode approved =
                otherAdmin().post("/api/v1/handlers/backup.database:approve").expect(200);
        assertThat(approved.path("state").asString()).isEqualTo("approved");
        assertThat(handlers.find("backup.database")).get().satisfies(handler -> {
            assertThat(handler.isolation()).isEqualTo(Handler.Isolation.FRESH);
            assertThat(handler.timeoutMax()).isEqualTo(Duration.ofHours(1));
        });
        assertThat(Outboxes.events(API.database()))
                .filteredOn(event -> event.contains("backup.database"))
                .hasSize(2);
    }

    @Test
    void a_node_that_did_not_know_a_handler_finds_it_as_soon_as_it_is_approved() {
        var node = new Handlers(
                API.context().getBean(VaultStore.class),
                new VaultKeys(API.context().getBean(MasterKeys.class)),
                List.of());
        Api.Http other = otherAdmin();
        propose("report.yearly", "\"isolation\":\"pooled\"");
        assertThat(node.find("report.yearly")).isEmpty();

        other.post("/api/v1/handlers/report.yearly:approve").expect(200);

        assertThat(node.find("report.yearly")).isPresent();
        assertThat(node.find("report.never")).isEmpty();
    }

    @Test
    void a_change_waits_for_approval_while_the_old_definition_stays() {
        propose("report.daily", "\"network\":\"none\"");
        otherAdmin().post("/api/v1/handlers/report.daily:approve").expect(200);

        JsonNode changed = propose("report.daily", "\"network\":[\"api.example.com\"]");

        assertThat(changed.path("state").asString()).isEqualTo("approved");
        assertThat(changed.path("change_proposed").asBoolean()).isTrue();
        assertThat(handlers.find("report.daily"))
                .get()
                .satisfies(handler -> assertThat(handler.network()).isEmpty());
    }

    @Test
    void the_same_definition_again_changes_nothing() {
        propose("report.weekly", "\"isolation\":\"pooled\"");
        otherAdmin().post("/api/v1/handlers/report.weekly:approve").expect(200);

        JsonNode again = propose("report.weekly", "\"isolation\":\"pooled\"");

        assertThat(again.path("change_proposed").asBoolean()).isFalse();
        assertThat(otherAdmin().post("/api/v1/handlers/report.weekly:approve").status())
                .isEqualTo(409);
    }

    @Test
    void the_bootstrap_list_is_approved_from_the_start() {
        assertThat(handlers.find("demo.echo")).isPresent();
        assertThat(handlers.names()).contains("demo.echo", "demo.sleep");
        assertThat(propose("demo.echo", "\"isolation\":\"fresh\"").path("state").asString())
                .isEqualTo("approved");
        assertThat(handlers.find("demo.echo"))
                .get()
                .satisfies(handler -> assertThat(handler.isolation()).isEqualTo(Handler.Isolation.FRESH));
    }

    @Test
    void a_handler_approved_by_sql_is_refused_and_is_an_event() {
        propose("evil.shell", "\"isolation\":\"pooled\"");
        Meddler.run(
                API.database(),
                "UPDATE vault.handler SET approved = proposed, approved_at = now(), proposed = NULL, proposed_by = NULL,"
                        + " proposed_at = NULL WHERE name = 'evil.shell'");

        Awaitility.await().atMost(Duration.ofSeconds(3)).untilAsserted(() -> {
            assertThat(handlers.find("evil.shell")).isEmpty();
            assertThat(Outboxes.events(API.database()))
                    .filteredOn(event -> event.contains("row_seal_broken") && event.contains("evil.shell"))
                    .hasSize(1);
        });
        assertThat(admin.get("/api/v1/handlers/evil.shell").status()).isEqualTo(404);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"name\":\"Bad Name\"",
                "\"name\":\"a.b\",\"isolation\":\"loose\"",
                "\"name\":\"a.b\",\"timeout_max\":\"P2D\"",
                "\"name\":\"a.b\",\"network\":[\"no host\"]",
                "\"name\":\"a.b\",\"worker_groups\":[\"Bad Group\"]",
                "\"name\":\"a.b\",\"secrets_allowed\":[\"*db\"]"
            })
    void an_impossible_definition_is_refused(String members) {
        assertThat(admin.post("/api/v1/handlers", "{" + members + "}").status()).isEqualTo(422);
    }

    @Test
    void those_who_create_tasks_read_the_registry_and_only_admins_write_it() {
        assertThat(API.client()
                        .get("/api/v1/handlers")
                        .expect(200)
                        .path("items")
                        .size())
                .isGreaterThanOrEqualTo(2);
        assertThat(API.client().post("/api/v1/handlers", "{\"name\":\"a.b\"}").status())
                .isEqualTo(403);
        assertThat(API.client().post("/api/v1/handlers/demo.echo:approve").status())
                .isEqualTo(403);
        assertThat(admin.post("/api/v1/handlers/no.such:approve").status()).isEqualTo(404);
    }

    @Test
    void no_task_may_ask_for_more_time_than_its_handler_is_allowed() {
        propose("quick.look", "\"isolation\":\"pooled\",\"timeout_max\":\"PT1M\"");
        otherAdmin().post("/api/v1/handlers/quick.look:approve").expect(200);

        assertThat(create("quick.look", "").expect(201).path("timeout").asString())
                .isEqualTo("PT1M");
        JsonNode task = create("quick.look", "\"timeout\":\"PT30S\",").expect(201);
        JsonNode error = create("quick.look", "\"timeout\":\"PT1M1S\",")
                .expect(422)
                .path("errors")
                .path(0);
        assertThat(error.path("pointer").asString()).isEqualTo("/timeout");
        assertThat(error.path("hint").asString()).isEqualTo("use at most PT1M");

        String path = "/api/v1/tasks/" + task.path("id").asString();
        assertThat(patch(path, "{\"timeout\":\"PT2M\"}").status()).isEqualTo(422);
        patch(path, "{\"timeout\":\"PT45S\"}").expect(200);
        String other = "/api/v1/tasks/"
                + create("demo.echo", "\"timeout\":\"PT5M\",")
                        .expect(201)
                        .path("id")
                        .asString();
        assertThat(patch(other, "{\"handler\":\"quick.look\"}").status()).isEqualTo(422);
    }

    private Api.Reply create(String handler, String members) {
        return admin.post("/api/v1/tasks", """
                        {"name":"t","handler":"%s",%s"payload":{},"schedule":{"type":"one_time","delay":"PT1H"}}
                        """.formatted(handler, members));
    }

    private Api.Reply patch(String path, String body) {
        return admin.call("PATCH", path, body, "If-Match", "*");
    }

    private JsonNode propose(String name, String members) {
        return admin.post("/api/v1/handlers", "{\"name\":\"%s\",%s}".formatted(name, members))
                .expect(201);
    }

    private Api.Http otherAdmin() {
        String name = "other" + System.nanoTime();
        admin.post(
                        "/api/v1/users",
                        "{\"username\":\"%s\",\"password\":\"a long enough password\",\"role\":\"admin\"}"
                                .formatted(name))
                .expect(201);
        return API.login(name, "a long enough password");
    }
}
