package dev.vigil.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.api.Api.Reply;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class ApiKeyTest {
    private static final String KEYS = "/api/v1/api-keys";
    private static final String TASK =
            "{\"name\":\"by-key\",\"handler\":\"demo.echo\",\"schedule\":{\"type\":\"one_time\",\"delay\":\"PT1H\"},\"payload\":1}";

    private final Api api = Api.shared();

    @Test
    void a_key_is_shown_once_and_works_as_its_owner_with_the_scopes_it_was_given() {
        Api.Http owner = api.user("scheduler");
        JsonNode made = owner.post(KEYS, "{\"name\":\"ci\",\"scopes\":[\"tasks:read\"],\"expires_in\":3600}")
                .expect(201);
        Api.Http key = api.bearer(made.path("key").asString());

        JsonNode me = key.get("/api/v1/me").expect(200);

        assertThat(made.path("id").asString()).startsWith("key_");
        assertThat(made.path("key").asString())
                .matches("sk_live_[A-Za-z0-9]{49}")
                .startsWith(made.path("prefix").asString());
        assertThat(me.path("id")).isEqualTo(owner.get("/api/v1/me").expect(200).path("id"));
        assertThat(me.path("scopes").toString()).isEqualTo("[\"tasks:read\"]");
        assertThat(key.get("/api/v1/tasks").status()).isEqualTo(200);
        assertThat(key.post("/api/v1/tasks", TASK).code()).isEqualTo("scope_missing");
        Reply one = owner.get(KEYS + "/" + made.path("id").asString());
        assertThat(one.expect(200).has("key")).isFalse();
        assertThat(owner.get(KEYS).text()).contains(made.path("id").asString());
        assertThat(one.text() + owner.get(KEYS).text())
                .doesNotContain(made.path("key").asString());
    }

    @Test
    void a_key_lies_in_the_database_as_a_hash_only_and_its_text_is_in_no_event() {
        JsonNode made = api.user("viewer").post(KEYS, "{\"name\":\"hidden\"}").expect(201);
        String text = made.path("key").asString();

        String rows = api.query("SELECT string_agg(k::text, ' ') FROM access.api_key k", String.class);

        assertThat(rows).contains("hidden").doesNotContain(text.substring(12));
        assertThat(api.events()).contains("api_key_created").doesNotContain(text);
    }

    @Test
    void a_deleted_key_is_refused_here_at_once_and_on_another_node_within_two_seconds() {
        try (Api other = api.secondNode()) {
            Api.Http owner = api.user("viewer");
            JsonNode made = owner.post(KEYS, "{\"name\":\"short\"}").expect(201);
            Api.Http here = api.bearer(made.path("key").asString());
            Api.Http there = other.bearer(made.path("key").asString());
            assertThat(here.get("/api/v1/me").status()).isEqualTo(200);
            assertThat(there.get("/api/v1/me").status()).isEqualTo(200);

            owner.call("DELETE", KEYS + "/" + made.path("id").asString(), null).expect(204);

            assertThat(here.get("/api/v1/me").code()).isEqualTo("invalid_token");
            await().atMost(Duration.ofSeconds(2))
                    .pollInterval(Duration.ofMillis(50))
                    .untilAsserted(
                            () -> assertThat(there.get("/api/v1/me").status()).isEqualTo(401));
            assertThat(owner.get(KEYS + "/" + made.path("id").asString()).status())
                    .isEqualTo(404);
        }
    }

    @Test
    void a_rolled_key_and_the_one_before_both_work_for_the_overlap() {
        Api.Http owner = api.user("viewer");
        JsonNode first = owner.post(KEYS, "{\"name\":\"rolled\"}").expect(201);
        String path = KEYS + "/" + first.path("id").asString();

        JsonNode second = owner.post(path + ":roll", "{\"overlap\":\"PT1H\"}").expect(200);

        assertThat(second.path("id")).isEqualTo(first.path("id"));
        assertThat(works(first)).isTrue();
        assertThat(works(second)).isTrue();
        JsonNode third = owner.post(path + ":roll", "{\"overlap\":0}").expect(200);
        assertThat(works(first)).isFalse();
        assertThat(works(second)).isFalse();
        assertThat(works(third)).isTrue();
        assertThat(api.events()).contains("api_key_rolled");
    }

    @Test
    void a_key_ends_when_its_time_is_over() {
        JsonNode made = api.user("viewer")
                .post(KEYS, "{\"name\":\"brief\",\"expires_in\":\"PT2S\"}")
                .expect(201);
        boolean before = works(made);

        await().atMost(Duration.ofSeconds(6)).until(() -> !works(made));

        Instant end = Instant.parse(made.path("expires_at").asString());
        assertThat(before).isTrue();
        assertThat(Instant.now()).isAfterOrEqualTo(end);
    }

    @Test
    void a_key_works_only_from_the_addresses_that_it_names() {
        Api.Http owner = api.user("viewer");
        JsonNode here = owner.post(KEYS, "{\"name\":\"a\",\"allowed_ips\":[\"127.0.0.0/8\",\"2001:db8::/32\"]}")
                .expect(201);
        JsonNode elsewhere = owner.post(KEYS, "{\"name\":\"b\",\"allowed_ips\":[\"203.0.113.7\"]}")
                .expect(201);

        assertThat(works(here)).isTrue();
        assertThat(api.bearer(elsewhere.path("key").asString())
                        .get("/api/v1/me")
                        .code())
                .isEqualTo("invalid_token");
        assertThat(owner.post(KEYS, "{\"name\":\"c\",\"allowed_ips\":[\"example.com\"]}")
                        .code())
                .isEqualTo("validation_failed");
    }

    @Test
    void the_last_use_is_noted_and_not_more_than_once_a_minute() {
        Api.Http owner = api.user("viewer");
        JsonNode made = owner.post(KEYS, "{\"name\":\"used\"}").expect(201);
        String path = KEYS + "/" + made.path("id").asString();
        assertThat(owner.get(path).expect(200).path("last_used_at").isNull()).isTrue();

        works(made);
        String first = owner.get(path).expect(200).path("last_used_at").asString();
        works(made);

        assertThat(Instant.parse(first)).isBefore(Instant.now().plusSeconds(1));
        assertThat(owner.get(path).expect(200).path("last_used_at").asString()).isEqualTo(first);
    }

    @Test
    void keys_share_the_rate_of_their_owner() {
        JsonNode user = api.admin()
                .post(
                        "/api/v1/users",
                        "{\"username\":\"slow\",\"password\":\"%s\",\"role\":\"viewer\",\"requests_per_minute\":3}"
                                .formatted(Api.ADMIN_PASSWORD))
                .expect(201);
        Api.Http owner = api.login("slow", Api.ADMIN_PASSWORD);
        JsonNode made = owner.post(KEYS, "{\"name\":\"shares\"}").expect(201);
        works(made);
        owner.get("/api/v1/me").expect(200);

        Reply refused = api.bearer(made.path("key").asString()).get("/api/v1/me");

        assertThat(user.path("requests_per_minute").asInt()).isEqualTo(3);
        assertThat(refused.status()).isEqualTo(429);
    }

    @Test
    void a_key_has_no_scope_that_its_maker_has_not_and_makes_no_keys() {
        Api.Http owner = api.user("viewer");
        Api.Http reader = api.bearer(api.token(Api.CLIENT_ID, Api.CLIENT_SECRET, "tasks:read")
                .expect(200)
                .path("access_token")
                .asString());

        assertThat(owner.post(KEYS, "{\"name\":\"more\",\"scopes\":[\"users:manage\"]}")
                        .code())
                .isEqualTo("scope_missing");
        assertThat(reader.post(KEYS, "{\"name\":\"more\",\"scopes\":[\"tasks:write\"]}")
                        .code())
                .isEqualTo("scope_missing");
        assertThat(owner.post(KEYS, "{\"name\":\"none\",\"scopes\":[\"everything\"]}")
                        .code())
                .isEqualTo("validation_failed");
        JsonNode made = owner.post(KEYS, "{\"name\":\"child\"}").expect(201);
        Api.Http key = api.bearer(made.path("key").asString());
        assertThat(key.post(KEYS, "{\"name\":\"grandchild\"}").code()).isEqualTo("permission_denied");
        assertThat(key.call("DELETE", KEYS + "/" + made.path("id").asString(), null)
                        .code())
                .isEqualTo("permission_denied");
    }

    @Test
    void a_strangers_key_is_not_there_and_an_admin_sees_and_deletes_all() {
        JsonNode made =
                api.user("operator").post(KEYS, "{\"name\":\"private\"}").expect(201);
        String path = KEYS + "/" + made.path("id").asString();
        Api.Http stranger = api.user("operator");

        assertThat(stranger.get(path).status()).isEqualTo(404);
        assertThat(stranger.get(KEYS).text()).doesNotContain(made.path("id").asString());
        assertThat(stranger.post(path + ":roll").status()).isEqualTo(404);
        assertThat(stranger.call("DELETE", path, null).status()).isEqualTo(404);
        assertThat(api.admin().post(path + ":roll").code()).isEqualTo("permission_denied");
        api.admin().get(path).expect(200);
        api.admin().call("DELETE", path, null).expect(204);
        assertThat(works(made)).isFalse();
    }

    @Test
    void a_disabled_owners_key_is_refused_and_works_again_when_he_is_enabled() {
        Api.Http owner = api.user("viewer");
        JsonNode made = owner.post(KEYS, "{\"name\":\"idle\"}").expect(201);
        String id = owner.get("/api/v1/me").expect(200).path("id").asString();
        assertThat(works(made)).isTrue();

        api.admin().post("/api/v1/users/" + id + ":disable").expect(200);

        assertThat(works(made)).isFalse();
        api.admin().post("/api/v1/users/" + id + ":enable").expect(200);
        assertThat(works(made)).isTrue();
    }

    @Test
    void a_test_key_reads_everywhere_and_runs_nothing_outside_a_sandbox() {
        Api.Http owner = api.user("scheduler");
        Api.Http key = testKey(owner);
        String task = owner.post("/api/v1/tasks", TASK).expect(201).path("id").asString();

        assertThat(key.token()).startsWith("sk_test_");
        key.get("/api/v1/tasks/" + task).expect(200);
        assertThat(key.post("/api/v1/tasks", TASK).code()).isEqualTo("permission_denied");
        assertThat(key.post("/api/v1/tasks/" + task + ":pause").code()).isEqualTo("permission_denied");
        assertThat(key.call("DELETE", "/api/v1/tasks/" + task, null, "If-Match", "*")
                        .code())
                .isEqualTo("permission_denied");
        key.post("/api/v1/schedules:preview", "{\"schedule\":{\"type\":\"cron\",\"cron\":\"0 0 * * *\"}}")
                .expect(200);
    }

    @Test
    void a_test_key_runs_tasks_in_a_sandbox_and_changes_nothing_else() {
        Api.Http admin = api.admin();
        admin.post("/api/v1/namespaces", "{\"name\":\"playground\",\"sandbox\":true}")
                .expect(201);
        admin.post("/api/v1/users", """
                {"username":"player","password":"a long passphrase","role":"scheduler","namespace":"playground"}""").expect(201);
        admin.post("/api/v1/users", """
                {"username":"play-admin","password":"a long passphrase","role":"admin","namespace":"playground"}""").expect(201);
        Api.Http player = testKey(api.login("player", "a long passphrase"));
        Api.Http boss = testKey(api.login("play-admin", "a long passphrase"));
        String elsewhere =
                api.client().post("/api/v1/tasks", TASK).expect(201).path("id").asString();

        String task = player.post("/api/v1/tasks", TASK).expect(201).path("id").asString();

        player.post("/api/v1/tasks/" + task + ":pause").expect(200);
        assertThat(boss.post("/api/v1/tasks/" + elsewhere + ":pause").code()).isEqualTo("permission_denied");
        assertThat(boss.post("/api/v1/namespaces", "{\"name\":\"escape\"}").code())
                .isEqualTo("permission_denied");
        boss.get("/api/v1/users").expect(200);
    }

    @Test
    void a_key_or_a_sandbox_that_sql_wrote_is_refused_and_on_record() {
        Api.Http owner = api.user("scheduler");
        JsonNode made = owner.post(KEYS, "{\"name\":\"changed\",\"scopes\":[\"tasks:read\"]}")
                .expect(201);
        String id = made.path("id").asString();
        assertThat(works(made)).isTrue();

        api.execute("UPDATE access.api_key SET scopes = '{tasks:read,tasks:write}' WHERE name = 'changed'");
        api.execute("UPDATE access.revision SET n = n + 1");

        await().atMost(Duration.ofSeconds(3)).until(() -> !works(made));
        assertThat(owner.get(KEYS + "/" + id).status()).isEqualTo(404);
        await().atMost(Duration.ofSeconds(3))
                .untilAsserted(() -> assertThat(api.events()).contains("access.api_key/", "row_seal_broken"));
        try (Api own = Api.start(Map.of())) {
            own.execute("UPDATE access.namespace SET sandbox = true WHERE id = 1");
            assertThat(testKey(own.user("scheduler"))
                            .post("/api/v1/tasks", TASK)
                            .code())
                    .isEqualTo("permission_denied");
        }
    }

    @Test
    void services_behind_this_one_get_a_token_in_place_of_a_key() {
        JsonNode made = api.user("auditor").post(KEYS, "{\"name\":\"trail\"}").expect(201);

        Reply reply = api.bearer(made.path("key").asString()).get("/api/v1/audit/checkpoint");

        assertThat(reply.status()).isEqualTo(200);
        assertThat(Api.behind().last().token()).startsWith("Bearer ey").doesNotContain("sk_live");
    }

    private Api.Http testKey(Api.Http owner) {
        Api.Reply made = owner.post(KEYS, "{\"name\":\"test\",\"test\":true}");
        return new Api.Http(owner.url(), made.expect(201).path("key").asString());
    }

    private boolean works(JsonNode made) {
        return api.bearer(made.path("key").asString()).get("/api/v1/me").status() == 200;
    }
}
