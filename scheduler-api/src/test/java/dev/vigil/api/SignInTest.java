package dev.vigil.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.api.Api.Reply;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class SignInTest {
    private final Api api = Api.shared();

    @Test
    void a_client_gets_all_its_scopes_when_it_asks_for_none() {
        JsonNode token = api.token(Api.CLIENT_ID, Api.CLIENT_SECRET, "").expect(200);

        assertThat(token.path("token_type").asString()).isEqualTo("Bearer");
        assertThat(token.path("scope").asString().split(" "))
                .containsExactlyInAnyOrder("tasks:read", "tasks:write", "executions:read", "executions:control");
        JsonNode me = api.bearer(token.path("access_token").asString())
                .get("/api/v1/me")
                .expect(200);
        assertThat(me.path("role").asString()).isEqualTo("scheduler");
        assertThat(me.path("namespace").asString()).isEqualTo("default");
        assertThat(me.path("id").asString()).startsWith("usr_");
        assertThat(me.path("limits").path("requests_per_minute").asInt()).isEqualTo(1_000_000);
        assertThat(me.path("usage").path("running").asInt()).isZero();
    }

    @Test
    void a_client_gets_only_the_scope_it_asks_for_and_none_it_does_not_have() {
        JsonNode token =
                api.token(Api.CLIENT_ID, Api.CLIENT_SECRET, "tasks:read").expect(200);
        Api.Http reader = api.bearer(token.path("access_token").asString());

        assertThat(reader.get("/api/v1/tasks").status()).isEqualTo(200);
        assertThat(reader.get("/api/v1/executions").code()).isEqualTo("scope_missing");
        Reply beyond = api.token(Api.CLIENT_ID, Api.CLIENT_SECRET, "users:manage");
        assertThat(beyond.status()).isEqualTo(400);
        assertThat(beyond.json().path("error").asString()).isEqualTo("invalid_scope");
    }

    @Test
    void a_client_may_send_its_secret_in_the_form() {
        String form =
                "grant_type=client_credentials&client_id=" + Api.CLIENT_ID + "&client_secret=" + Api.CLIENT_SECRET;

        assertThat(api.form("/oauth2/token", form, "").status()).isEqualTo(200);
    }

    @Test
    void a_wrong_secret_and_an_unknown_client_are_refused_alike() {
        Reply wrong = api.token(Api.CLIENT_ID, "x".repeat(43), "");
        Reply unknown = api.token("nobody", "x".repeat(43), "");

        assertThat(wrong.status()).isEqualTo(401);
        assertThat(unknown.status()).isEqualTo(401);
        assertThat(wrong.json().path("error").asString()).isEqualTo("invalid_client");
        assertThat(wrong.json().path("code").asString()).isEqualTo("invalid_credentials");
        assertThat(unknown.json().path("detail")).isEqualTo(wrong.json().path("detail"));
    }

    @Test
    void a_call_without_a_client_says_what_is_missing() {
        for (String path : List.of("/oauth2/token", "/oauth2/introspect", "/oauth2/revoke")) {
            Reply refused = api.form(path, "grant_type=client_credentials&token=x", "");

            assertThat(refused.status()).as(path).isEqualTo(401);
            assertThat(refused.header("WWW-Authenticate")).startsWith("Basic");
            assertThat(refused.json().path("error").asString()).isEqualTo("invalid_client");
            assertThat(refused.json().path("code").asString()).isEqualTo("invalid_credentials");
            assertThat(refused.json().path("request_id").asString()).isEqualTo(refused.header("X-Request-Id"));
        }
    }

    @Test
    void the_scheme_of_a_token_that_logs_out_may_be_written_in_any_case() {
        JsonNode tokens = login("admin", Api.ADMIN_PASSWORD).expect(200);
        String token = tokens.path("access_token").asString();

        int status = api.anonymous()
                .call("POST", "/api/auth/logout", null, "Authorization", "bearer " + token)
                .status();

        assertThat(status).isEqualTo(204);
        assertThat(api.bearer(token).get("/api/v1/me").status()).isEqualTo(401);
        assertThat(refresh(tokens).status()).isEqualTo(401);
    }

    @Test
    void an_access_token_is_rs256_with_the_claims_that_other_services_read() {
        String token = api.client().token();

        JsonNode header = decode(token, 0);
        JsonNode claims = decode(token, 1);
        assertThat(header.path("alg").asString()).isEqualTo("RS256");
        assertThat(claims.path("iss").asString()).isEqualTo(api.url());
        assertThat(claims.path("sub").asString()).startsWith("usr_");
        assertThat(claims.path("role").asString()).isEqualTo("scheduler");
        assertThat(claims.path("namespace").asInt()).isEqualTo(1);
        assertThat(claims.path("scope").isArray()).isTrue();
        assertThat(claims.path("jti").asString()).isNotEmpty();
        JsonNode jwks = api.anonymous().get("/oauth2/jwks").expect(200);
        assertThat(jwks.path("keys").path(0).path("kid")).isEqualTo(header.path("kid"));
        assertThat(jwks.path("keys").path(0).has("d")).isFalse();
    }

    @Test
    void discovery_names_the_issuer_and_only_what_is_served() {
        JsonNode discovery =
                api.anonymous().get("/.well-known/openid-configuration").expect(200);

        assertThat(discovery.path("issuer").asString()).isEqualTo(api.url());
        assertThat(discovery.path("token_endpoint").asString()).isEqualTo(api.url() + "/oauth2/token");
        assertThat(discovery.has("device_authorization_endpoint")).isFalse();
    }

    @Test
    void a_client_asks_about_its_own_token_and_ends_it_at_once() {
        Api.Http client = api.client();
        String basic = Api.basic(Api.CLIENT_ID, Api.CLIENT_SECRET);
        assertThat(client.get("/api/v1/me").status()).isEqualTo(200);

        JsonNode before =
                api.form("/oauth2/introspect", "token=" + client.token(), basic).expect(200);
        int revoked =
                api.form("/oauth2/revoke", "token=" + client.token(), basic).status();

        assertThat(before.path("active").asBoolean()).isTrue();
        assertThat(before.path("client_id").asString()).isEqualTo(Api.CLIENT_ID);
        assertThat(revoked).isEqualTo(200);
        assertThat(client.get("/api/v1/me").code()).isEqualTo("invalid_token");
        JsonNode after =
                api.form("/oauth2/introspect", "token=" + client.token(), basic).expect(200);
        assertThat(after.path("active").asBoolean()).isFalse();
    }

    @Test
    void a_client_learns_nothing_about_a_strangers_token_and_cannot_end_it() {
        Api.Http admin = api.admin();
        String basic = Api.basic(Api.CLIENT_ID, Api.CLIENT_SECRET);

        JsonNode answer =
                api.form("/oauth2/introspect", "token=" + admin.token(), basic).expect(200);
        api.form("/oauth2/revoke", "token=" + admin.token(), basic).expect(200);

        assertThat(answer.path("active").asBoolean()).isFalse();
        assertThat(admin.get("/api/v1/me").status()).isEqualTo(200);
    }

    @Test
    void a_wrong_name_and_a_wrong_password_are_refused_alike_and_in_like_time() {
        long wrongPassword = time(() -> login("admin", "not the password at all"));
        long wrongName = time(() -> login("somebody-" + System.nanoTime(), "not the password at all"));

        Reply password = login("admin", "not the password at all");
        Reply name = login("somebody-else", "not the password at all");
        assertThat(password.status()).isEqualTo(401);
        assertThat(name.status()).isEqualTo(401);
        assertThat(name.json().path("detail")).isEqualTo(password.json().path("detail"));
        // Both computed one Argon2id hash: without it the answer would be many times faster.
        assertThat((double) wrongName / wrongPassword).isBetween(0.1, 10.0);
        assertThat(login("admin", Api.ADMIN_PASSWORD).status()).isEqualTo(200);
    }

    @Test
    void a_refresh_token_works_once_and_its_second_use_ends_the_family() {
        JsonNode first = login("admin", Api.ADMIN_PASSWORD).expect(200);
        JsonNode second = refresh(first).expect(200);
        Api.Http signedIn = api.bearer(second.path("access_token").asString());
        assertThat(signedIn.get("/api/v1/me").status()).isEqualTo(200);

        Reply reused = refresh(first);

        assertThat(reused.status()).isEqualTo(401);
        assertThat(refresh(second).status()).isEqualTo(401);
        assertThat(signedIn.get("/api/v1/me").status()).isEqualTo(401);
    }

    @Test
    void a_refresh_row_that_sql_wrote_or_pointed_elsewhere_lets_nobody_in() {
        Api.Http viewer = api.user("viewer");
        String name = viewer.get("/api/v1/me").expect(200).path("username").asString();
        JsonNode tokens = login(name, Api.ADMIN_PASSWORD).expect(200);

        api.execute("UPDATE access.refresh_family SET principal = (SELECT id FROM access.principal"
                + " WHERE username = 'admin') WHERE principal = (SELECT id FROM access.principal WHERE username = '"
                + name + "')");

        assertThat(refresh(tokens).status()).isEqualTo(401);
    }

    @Test
    void a_new_password_ends_the_sign_ins_with_the_old_one() {
        Api.Http viewer = api.user("viewer");
        JsonNode me = viewer.get("/api/v1/me").expect(200);
        JsonNode tokens =
                login(me.path("username").asString(), Api.ADMIN_PASSWORD).expect(200);

        api.admin()
                .call("PATCH", "/api/v1/users/" + me.path("id").asString(), "{\"password\":\"another passphrase\"}")
                .expect(200);

        assertThat(viewer.get("/api/v1/me").status()).isEqualTo(401);
        assertThat(refresh(tokens).status()).isEqualTo(401);
        assertThat(login(me.path("username").asString(), "another passphrase").status())
                .isEqualTo(200);
    }

    @Test
    void after_logout_neither_token_works() {
        JsonNode tokens = login("admin", Api.ADMIN_PASSWORD).expect(200);
        Api.Http signedIn = api.bearer(tokens.path("access_token").asString());

        int status = signedIn.post("/api/auth/logout").status();

        assertThat(status).isEqualTo(204);
        assertThat(signedIn.get("/api/v1/me").status()).isEqualTo(401);
        assertThat(refresh(tokens).status()).isEqualTo(401);
    }

    @Test
    void a_disabled_user_is_out_at_once_and_back_when_enabled() {
        Api.Http admin = api.admin();
        Api.Http viewer = api.user("viewer");
        String id = viewer.get("/api/v1/me").expect(200).path("id").asString();

        admin.post("/api/v1/users/" + id + ":disable").expect(200);

        assertThat(viewer.get("/api/v1/me").status()).isEqualTo(401);
        admin.post("/api/v1/users/" + id + ":enable").expect(200);
        assertThat(viewer.get("/api/v1/me").status()).isEqualTo(200);
    }

    @Test
    void what_one_node_revokes_another_one_refuses_within_two_seconds() {
        try (Api other = api.secondNode()) {
            Api.Http viewer = api.user("viewer");
            Api.Http there = other.bearer(viewer.token());
            String id = there.get("/api/v1/me").expect(200).path("id").asString();

            api.admin().post("/api/v1/users/" + id + ":disable").expect(200);

            await().atMost(Duration.ofSeconds(2))
                    .pollInterval(Duration.ofMillis(50))
                    .untilAsserted(
                            () -> assertThat(there.get("/api/v1/me").status()).isEqualTo(401));
        }
    }

    @Test
    void a_user_row_that_sql_changed_is_refused() {
        Api.Http viewer = api.user("viewer");
        String name = viewer.get("/api/v1/me").expect(200).path("username").asString();

        api.execute("UPDATE access.principal SET role = 'admin' WHERE username = '" + name + "'");
        api.execute("UPDATE access.revision SET n = n + 1");

        await().atMost(Duration.ofSeconds(2))
                .untilAsserted(
                        () -> assertThat(viewer.get("/api/v1/me").status()).isEqualTo(401));
        assertThat(login(name, Api.ADMIN_PASSWORD).status()).isEqualTo(401);
    }

    @Test
    void a_token_that_was_changed_or_signed_by_others_is_refused() {
        String token = api.client().token();
        String[] parts = token.split("\\.");
        char last = parts[1].charAt(parts[1].length() - 2);
        String changed = parts[0] + "." + parts[1].substring(0, parts[1].length() - 2) + (last == 'A' ? 'B' : 'A')
                + parts[1].charAt(parts[1].length() - 1) + "." + parts[2];
        String unsigned = "eyJhbGciOiJub25lIn0." + parts[1] + ".";

        assertThat(api.bearer(changed).get("/api/v1/me").code()).isEqualTo("invalid_token");
        assertThat(api.bearer(unsigned).get("/api/v1/me").code()).isEqualTo("invalid_token");
        assertThat(api.bearer("")
                        .call("GET", "/api/v1/me", null, "Authorization", "Basic abc")
                        .status())
                .isEqualTo(401);
    }

    private Reply login(String name, String password) {
        return api.anonymous()
                .post("/api/auth/login", "{\"username\":\"%s\",\"password\":\"%s\"}".formatted(name, password));
    }

    private Reply refresh(JsonNode tokens) {
        return api.anonymous()
                .post(
                        "/api/auth/refresh",
                        "{\"refresh_token\":\"%s\"}"
                                .formatted(tokens.path("refresh_token").asString()));
    }

    private static JsonNode decode(String token, int part) {
        return tools.jackson.databind.json.JsonMapper.shared()
                .readTree(java.util.Base64.getUrlDecoder().decode(token.split("\\.")[part]));
    }

    private static long time(Runnable work) {
        long began = System.nanoTime();
        work.run();
        return System.nanoTime() - began;
    }
}
