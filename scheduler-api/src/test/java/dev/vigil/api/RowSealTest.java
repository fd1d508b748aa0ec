package dev.vigil.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// Rows that confer power and were written or changed by SQL, by the database's owner himself: refused, and on record.
/// API keys and sandboxes are in [ApiKeyTest], sign-ins in [AuthorizeTest], handlers with the vault.
class RowSealTest {
    private static Api api;

    @BeforeAll
    static void start() {
        api = Api.start(Map.of());
    }

    @AfterAll
    static void stop() {
        api.close();
    }

    @Test
    void a_user_who_sql_made_an_admin_is_nobody() {
        Api.Http viewer = api.user("viewer");
        String id = viewer.get("/api/v1/me").expect(200).path("id").asString();

        change("UPDATE access.principal SET role = 'admin' WHERE role = 'viewer'");

        refused(viewer, "access.principal/");
        assertThat(api.admin().get("/api/v1/users/" + id).status()).isIn(200, 404);
        assertThat(api.admin()
                        .call("PATCH", "/api/v1/users/" + id, "{\"role\":\"viewer\"}")
                        .status())
                .isEqualTo(404);
    }

    @Test
    void permissions_that_sql_widened_make_their_owner_nobody() {
        JsonNode made = api.admin()
                .post(
                        "/api/v1/users",
                        "{\"username\":\"narrow\",\"password\":\"%s\",\"role\":\"scheduler\",\"permissions\":{\"max_tasks\":1}}"
                                .formatted(Api.ADMIN_PASSWORD))
                .expect(201);
        Api.Http narrow = api.login("narrow", Api.ADMIN_PASSWORD);

        change("UPDATE access.principal SET max_tasks = NULL WHERE username = 'narrow'");

        refused(narrow, "access.principal/");
        assertThat(made.path("permissions").path("max_tasks").asInt()).isEqualTo(1);
    }

    @Test
    void a_user_whom_sql_inserted_as_a_copy_of_the_admin_does_not_sign_in() {
        change(
                "INSERT INTO access.principal (id, kind, username, password, role, namespace, enabled, version, created_at,"
                        + " requests_per_minute, mac) SELECT gen_random_uuid(), kind, 'twin', password, role, namespace, enabled,"
                        + " version, created_at, requests_per_minute, mac FROM access.principal WHERE username = 'admin'");

        Api.Reply login = api.anonymous()
                .post("/api/auth/login", "{\"username\":\"twin\",\"password\":\"%s\"}".formatted(Api.ADMIN_PASSWORD));

        assertThat(login.status()).isEqualTo(401);
        onRecord("access.principal/");
    }

    @Test
    void a_client_whose_secret_or_scopes_sql_changed_gets_no_token() {
        JsonNode made = api.admin()
                .post("/api/v1/service-accounts", "{\"name\":\"robot\",\"role\":\"viewer\"}")
                .expect(201);
        String client = made.path("client_id").asString();
        String secret = made.path("client_secret").asString();
        api.token(client, secret, "").expect(200);

        change("UPDATE access.client SET scopes = scopes || '{users:manage}' WHERE client_id = '" + client + "'");

        assertThat(api.token(client, secret, "").status()).isEqualTo(401);
        onRecord("access.client/" + client);
    }

    private static void change(String sql) {
        api.execute(sql);
        api.execute("UPDATE access.revision SET n = n + 1");
    }

    private static void refused(Api.Http somebody, String row) {
        await().atMost(Duration.ofSeconds(3))
                .untilAsserted(
                        () -> assertThat(somebody.get("/api/v1/me").code()).isEqualTo("invalid_token"));
        onRecord(row);
    }

    private static void onRecord(String row) {
        await().atMost(Duration.ofSeconds(5))
                .untilAsserted(() -> assertThat(api.events())
                        .containsPattern("\"reason\":\"row_seal_broken\"[^}]*\"row\":\"" + row));
    }
}
