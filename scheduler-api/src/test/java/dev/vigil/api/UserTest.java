package dev.vigil.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.Api.Reply;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class UserTest {
    private final Api api = Api.shared();
    private final Api.Http admin = api.admin();

    @Test
    void an_admin_makes_a_privacy_officer_who_can_sign_in() {
        JsonNode made = admin.post("/api/v1/users", """
                {"username":"paula","password":"a long passphrase","role":"privacy_officer"}""").expect(201);

        JsonNode me = api.login("paula", "a long passphrase").get("/api/v1/me").expect(200);

        assertThat(me.path("id")).isEqualTo(made.path("id"));
        assertThat(me.path("scopes").path(0).asString()).isEqualTo("gdpr:manage");
        assertThat(me.path("namespace").asString()).isEqualTo("default");
    }

    @Test
    void a_name_is_given_once_whatever_its_case() {
        admin.post("/api/v1/users", "{\"username\":\"twice\",\"role\":\"viewer\"}")
                .expect(201);

        Reply again = admin.post("/api/v1/users", "{\"username\":\"TWICE\",\"role\":\"viewer\"}");

        assertThat(again.status()).isEqualTo(409);
        assertThat(again.code()).isEqualTo("already_exists");
    }

    @Test
    void permissions_come_back_as_they_were_given_and_an_empty_list_stays_empty() {
        JsonNode made = admin.post("/api/v1/users", """
                {"username":"limited","role":"scheduler","permissions":{"allowed_task_types":["cron","one_time"],
                 "allowed_handlers":[],"max_tasks":1000}}""").expect(201);

        JsonNode permissions = admin.get("/api/v1/users/" + made.path("id").asString())
                .expect(200)
                .path("permissions");

        assertThat(permissions.path("allowed_task_types").size()).isEqualTo(2);
        assertThat(permissions.path("allowed_handlers").size()).isZero();
        assertThat(permissions.has("allowed_priorities")).isFalse();
        assertThat(permissions.path("max_tasks").asInt()).isEqualTo(1000);
        assertThat(permissions.has("max_concurrent_executions")).isFalse();
    }

    @Test
    void a_patch_changes_what_it_names_and_null_takes_a_limit_away() {
        String user = "/api/v1/users/"
                + admin.post("/api/v1/users", """
                {"username":"patched","role":"scheduler","requests_per_minute":5,"permissions":{
                 "allowed_handlers":["demo.*"],"max_tasks":7,"max_concurrent_executions":2}}""").expect(201).path("id").asString();

        JsonNode raised =
                admin.call("PATCH", user, "{\"permissions\":{\"max_tasks\":8}}").expect(200);
        JsonNode cleared = admin.call("PATCH", user, """
                {"requests_per_minute":null,"permissions":{"max_tasks":null,"max_concurrent_executions":null}}""").expect(200);

        assertThat(raised.path("permissions").path("max_tasks").asInt()).isEqualTo(8);
        assertThat(raised.path("permissions").path("max_concurrent_executions").asInt())
                .isEqualTo(2);
        assertThat(raised.path("requests_per_minute").asInt()).isEqualTo(5);
        assertThat(cleared.path("requests_per_minute").isNull()).isTrue();
        assertThat(cleared.path("permissions").has("max_tasks")).isFalse();
        assertThat(cleared.path("permissions").has("max_concurrent_executions")).isFalse();
        assertThat(cleared.path("permissions").path("allowed_handlers").size()).isEqualTo(1);
        assertThat(admin.call("PATCH", user, "{\"permissions\":{\"max_tasks\":-1}}")
                        .status())
                .isEqualTo(422);
        assertThat(admin.get(user).expect(200)).isEqualTo(cleared);
    }

    @Test
    void null_for_all_permissions_takes_the_limit_of_what_runs_away_too() {
        String id = admin.post("/api/v1/users", "{\"username\":\"unbound\",\"role\":\"scheduler\"}")
                .expect(201)
                .path("id")
                .asString();
        String limited = "SELECT count(*) FROM scheduler.concurrency WHERE most = 4711";
        admin.call("PATCH", "/api/v1/users/" + id, "{\"permissions\":{\"max_concurrent_executions\":4711}}")
                .expect(200);
        assertThat(api.query(limited, Long.class)).isOne();

        admin.call("PATCH", "/api/v1/users/" + id, "{\"permissions\":null}").expect(200);

        assertThat(api.query(limited, Long.class)).isZero();
    }

    @Test
    void a_user_keeps_his_name_and_namespace() {
        admin.post("/api/v1/namespaces", "{\"name\":\"elsewhere\"}").expect(201);
        String user = "/api/v1/users/"
                + admin.post("/api/v1/users", "{\"username\":\"settled\",\"role\":\"viewer\"}")
                        .expect(201)
                        .path("id")
                        .asString();

        for (String member : List.of("username", "namespace")) {
            Reply refused = admin.call("PATCH", user, "{\"%s\":\"elsewhere\"}".formatted(member));

            assertThat(refused.status()).isEqualTo(422);
            JsonNode error = refused.json().path("errors").path(0);
            assertThat(error.path("pointer").asString()).isEqualTo("/" + member);
            assertThat(error.path("code").asString()).isEqualTo("immutable");
        }
        admin.call("PATCH", user, "{\"username\":\"settled\",\"namespace\":\"default\",\"role\":\"operator\"}")
                .expect(200);
    }

    @Test
    void tokens_of_a_rolled_secret_end_with_it_and_a_dry_run_shows_none() {
        JsonNode made = admin.post("/api/v1/service-accounts", "{\"name\":\"leaked\",\"role\":\"viewer\"}")
                .expect(201);
        String roll = "/api/v1/service-accounts/" + made.path("id").asString() + ":roll";
        String client = made.path("client_id").asString();
        String first = made.path("client_secret").asString();
        Api.Http before = signedIn(client, first);
        Api.Http person = api.user("viewer");

        JsonNode tried = admin.post(roll + "?dry_run=true").expect(200);

        assertThat(tried.path("dry_run").asBoolean()).isTrue();
        assertThat(tried.path("client_id").asString()).isEqualTo(client);
        assertThat(tried.has("client_secret")).isFalse();
        before.get("/api/v1/me").expect(200);

        String second = admin.post(roll).expect(200).path("client_secret").asString();

        assertThat(before.get("/api/v1/me").status()).isEqualTo(401);
        assertThat(api.form("/oauth2/introspect", "token=" + before.token(), Api.basic(client, second))
                        .expect(200)
                        .path("active")
                        .asBoolean())
                .isFalse();
        Api.Http after = signedIn(client, second);
        after.get("/api/v1/me").expect(200);
        person.get("/api/v1/me").expect(200);
        admin.call("PATCH", "/api/v1/users/" + made.path("id").asString(), "{\"role\":\"operator\"}")
                .expect(200);
        after.get("/api/v1/me").expect(200);
    }

    private Api.Http signedIn(String client, String secret) {
        return api.bearer(
                api.token(client, secret, "").expect(200).path("access_token").asString());
    }

    @Test
    void a_dry_run_of_what_is_shown_once_shows_neither_it_nor_an_id() {
        JsonNode account = admin.post(
                        "/api/v1/service-accounts?dry_run=true", "{\"name\":\"tried\",\"role\":\"viewer\"}")
                .expect(200);
        JsonNode key = admin.post("/api/v1/api-keys?dry_run=true", "{\"name\":\"tried\"}")
                .expect(200);
        JsonNode join = admin.post("/api/v1/workers/join-tokens?dry_run=true", "{\"group\":\"batch\"}")
                .expect(200);
        JsonNode user = admin.post("/api/v1/users?dry_run=true", "{\"username\":\"tried\",\"role\":\"viewer\"}")
                .expect(200);

        assertThat(List.of(account, key, join, user)).allSatisfy(tried -> {
            assertThat(tried.path("dry_run").asBoolean()).isTrue();
            assertThat(tried.propertyNames())
                    .doesNotContain("id", "client_id", "client_secret", "key", "prefix", "token", "join_command");
        });
        assertThat(user.path("username").asString()).isEqualTo("tried");
        assertThat(key.path("name").asString()).isEqualTo("tried");
    }

    @Test
    void nobody_changes_his_own_role_or_disables_himself() {
        String id = admin.get("/api/v1/me").expect(200).path("id").asString();

        Reply role = admin.call("PATCH", "/api/v1/users/" + id, "{\"role\":\"viewer\"}");
        Reply disable = admin.post("/api/v1/users/" + id + ":disable");

        assertThat(role.status()).isEqualTo(403);
        assertThat(disable.status()).isEqualTo(403);
    }

    @Test
    void a_lost_role_is_in_force_with_the_old_token() {
        Api.Http operator = api.user("operator");
        String id = operator.get("/api/v1/me").expect(200).path("id").asString();
        assertThat(operator.get("/api/v1/tasks").status()).isEqualTo(200);

        admin.call("PATCH", "/api/v1/users/" + id, "{\"role\":\"auditor\"}").expect(200);

        assertThat(operator.get("/api/v1/tasks").code()).isEqualTo("role_missing");
    }

    @Test
    void a_deleted_user_is_gone_and_his_name_is_free() {
        JsonNode made = admin.post("/api/v1/users", """
                {"username":"leaver","password":"a long passphrase","role":"viewer"}""").expect(201);
        Api.Http leaver = api.login("leaver", "a long passphrase");

        admin.call("DELETE", "/api/v1/users/" + made.path("id").asString(), null)
                .expect(204);

        assertThat(leaver.get("/api/v1/me").status()).isEqualTo(401);
        assertThat(admin.get("/api/v1/users/" + made.path("id").asString()).status())
                .isEqualTo(404);
        admin.post("/api/v1/users", "{\"username\":\"leaver\",\"role\":\"viewer\"}")
                .expect(201);
        assertThat(api.query("SELECT count(*) FROM access.principal WHERE username = 'leaver'", Long.class))
                .isEqualTo(1);
    }

    @Test
    void a_service_account_gets_its_secret_once_and_works() {
        JsonNode made = admin.post("/api/v1/service-accounts", """
                {"name":"imports","role":"scheduler","namespace":"default","permissions":{"max_tasks":5},
                 "requests_per_minute":500}""").expect(201);
        String clientId = made.path("client_id").asString();
        String secret = made.path("client_secret").asString();

        JsonNode token = api.token(clientId, secret, "").expect(200);

        assertThat(clientId + secret).matches("[A-Za-z0-9_-]+");
        JsonNode me = api.bearer(token.path("access_token").asString())
                .get("/api/v1/me")
                .expect(200);
        assertThat(me.path("limits").path("requests_per_minute").asInt()).isEqualTo(500);
        assertThat(me.path("limits").path("max_tasks").asInt()).isEqualTo(5);
        assertThat(admin.get("/api/v1/users/" + made.path("id").asString()).text())
                .doesNotContain(secret);
    }

    @Test
    void a_service_account_is_listed_gets_another_secret_and_goes() {
        JsonNode made = admin.post("/api/v1/service-accounts", "{\"name\":\"rolling\",\"role\":\"viewer\"}")
                .expect(201);
        String id = made.path("id").asString();
        String client = made.path("client_id").asString();
        String old = made.path("client_secret").asString();

        JsonNode rolled = admin.post("/api/v1/service-accounts/" + id + ":roll").expect(200);

        assertThat(admin.get("/api/v1/service-accounts").text()).contains("rolling");
        assertThat(admin.get("/api/v1/users").text()).doesNotContain("rolling");
        assertThat(rolled.path("client_id").asString()).isEqualTo(client);
        assertThat(api.token(client, old, "").status()).isEqualTo(401);
        String secret = rolled.path("client_secret").asString();
        assertThat(api.token(client, secret, "").expect(200).path("scope").asString())
                .doesNotContain("tasks:write");
        admin.call("PATCH", "/api/v1/users/" + id, "{\"role\":\"scheduler\"}").expect(200);
        assertThat(api.token(client, secret, "").expect(200).path("scope").asString())
                .contains("tasks:write");
        admin.call("DELETE", "/api/v1/users/" + id, null).expect(204);
        assertThat(api.token(client, secret, "").status()).isEqualTo(401);
        assertThat(admin.post("/api/v1/service-accounts/" + id + ":roll").status())
                .isEqualTo(404);
    }

    @Test
    void a_namespace_is_deleted_when_it_is_empty_and_not_before() {
        admin.post("/api/v1/namespaces", "{\"name\":\"brief\"}").expect(201);
        JsonNode user = admin.post("/api/v1/users", """
                {"username":"tenant","password":"a long passphrase","role":"scheduler","namespace":"brief"}""").expect(201);
        String task = api.login("tenant", "a long passphrase")
                .post("/api/v1/tasks", """
                        {"name":"t","handler":"demo.echo","schedule":{"type":"one_time","delay":"PT1H"},"payload":1}""")
                .expect(201)
                .path("id")
                .asString();
        admin.get("/api/v1/namespaces/brief").expect(200);

        Reply inhabited = admin.call("DELETE", "/api/v1/namespaces/brief", null);
        admin.call("DELETE", "/api/v1/users/" + user.path("id").asString(), null)
                .expect(204);
        Reply withTask = admin.call("DELETE", "/api/v1/namespaces/brief", null);
        admin.call("DELETE", "/api/v1/tasks/" + task, null, "If-Match", "*").expect(204);

        assertThat(inhabited.code()).isEqualTo("conflict");
        assertThat(inhabited.json().path("detail").asString()).contains("users", "unfinished tasks");
        assertThat(withTask.code()).isEqualTo("conflict");
        assertThat(withTask.json().path("detail").asString()).contains("unfinished tasks");
        admin.call("DELETE", "/api/v1/namespaces/brief", null).expect(204);
        assertThat(admin.get("/api/v1/namespaces/brief").status()).isEqualTo(404);
        assertThat(admin.call("DELETE", "/api/v1/namespaces/default", null).code())
                .isEqualTo("conflict");
        admin.post("/api/v1/namespaces", "{\"name\":\"brief\"}").expect(201);
    }

    @Test
    void a_namespace_with_secrets_or_pii_tokens_stays_and_the_answer_names_them() {
        admin.post("/api/v1/namespaces", "{\"name\":\"kept\"}").expect(201);
        admin.post("/api/v1/namespaces", "{\"name\":\"kept-too\"}").expect(201);
        admin.put("/api/v1/secrets/db?namespace=kept", "{\"value\":\"v\"}").expect(201);
        admin.post(
                        "/api/v1/pii-tokens?namespace=kept-too",
                        "{\"kind\":\"email\",\"value\":\"a@b.c\",\"subject\":\"customer-kept\"}")
                .expect(201);

        Reply withSecret = admin.delete("/api/v1/namespaces/kept");
        Reply withToken = admin.delete("/api/v1/namespaces/kept-too");

        assertThat(withSecret.status()).isEqualTo(409);
        assertThat(withSecret.json().path("detail").asString())
                .contains("secrets")
                .doesNotContain("tokens");
        assertThat(withToken.status()).isEqualTo(409);
        assertThat(withToken.json().path("detail").asString())
                .contains("PII tokens")
                .doesNotContain("secrets");
        admin.delete("/api/v1/secrets/db?namespace=kept").expect(204);
        admin.delete("/api/v1/namespaces/kept").expect(204);
    }

    @Test
    void users_are_listed_in_pages_that_miss_none() {
        for (int i = 0; i < 5; i++) {
            admin.post("/api/v1/users", "{\"username\":\"page-" + i + "\",\"role\":\"viewer\"}")
                    .expect(201);
        }
        var seen = new java.util.HashSet<String>();
        String next = "";

        do {
            JsonNode page = admin.get("/api/v1/users?limit=2" + (next.isEmpty() ? "" : "&after=" + next))
                    .expect(200);
            page.path("items").forEach(user -> seen.add(user.path("username").asString()));
            next = page.path("next").isNull() ? "" : page.path("next").asString();
        } while (!next.isEmpty());

        assertThat(seen).contains("admin", "page-0", "page-1", "page-2", "page-3", "page-4");
    }

    @Test
    void namespaces_are_made_by_name_and_users_live_in_them() {
        admin.post("/api/v1/namespaces", "{\"name\":\"team-a\"}").expect(201);

        JsonNode made = admin.post(
                        "/api/v1/users", "{\"username\":\"in-a\",\"role\":\"viewer\",\"namespace\":\"team-a\"}")
                .expect(201);

        assertThat(made.path("namespace").asString()).isEqualTo("team-a");
        assertThat(admin.post("/api/v1/namespaces", "{\"name\":\"team-a\"}").status())
                .isEqualTo(409);
        assertThat(admin.post("/api/v1/namespaces", "{\"name\":\"No Such\"}").status())
                .isEqualTo(422);
        assertThat(admin.post("/api/v1/users", "{\"username\":\"x\",\"role\":\"viewer\",\"namespace\":\"nowhere\"}")
                        .status())
                .isEqualTo(422);
        assertThat(admin.get("/api/v1/namespaces").text()).contains("default", "team-a");
    }

    @Test
    void a_change_of_a_user_and_its_audit_event_stand_or_fall_together() {
        try (Api own = Api.start(java.util.Map.of())) {
            Api.Http boss = own.admin();
            own.execute("REVOKE INSERT ON access.outbox FROM vigil_api");

            Reply refused = boss.post("/api/v1/users", "{\"username\":\"unseen\",\"role\":\"viewer\"}");

            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.code()).isEqualTo("audit_unavailable");
            assertThat(refused.header("Retry-After")).isNotEmpty();
            assertThat(own.query("SELECT count(*) FROM access.principal WHERE username = 'unseen'", Long.class))
                    .isZero();
            own.execute("GRANT INSERT ON access.outbox TO vigil_api");
            boss.post("/api/v1/users", "{\"username\":\"seen\",\"role\":\"viewer\"}")
                    .expect(201);
            assertThat(own.events()).contains("user_created");
        }
    }
}
