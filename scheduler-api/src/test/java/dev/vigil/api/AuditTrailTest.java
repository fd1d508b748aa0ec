package dev.vigil.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class AuditTrailTest {
    /// A service of its own: after the refusals of other tests, those here would belong to a flood, which is one event.
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
    void a_read_is_on_record_with_who_what_and_how() {
        Api.Http viewer = api.user("viewer");
        Api.Reply reply = viewer.get("/api/v1/tasks");

        String event = await(reply.header("X-Request-Id"));

        String id = viewer.get("/api/v1/me").expect(200).path("id").asString();
        assertThat(event)
                .contains("\"event_type\":\"api_call\"", "\"action\":\"listTasks\"", "\"result\":\"success\"")
                .contains("\"user_id\":\"" + id + "\"", "\"status\":200", "\"ip_address\":\"127.0.0.1\"");
        assertThat(event).doesNotContain("viewer-");
    }

    @Test
    void a_missing_role_is_an_authorization_failure() {
        Api.Reply reply = api.user("viewer").get("/api/v1/users");

        assertThat(await(reply.header("X-Request-Id")))
                .contains("\"event_type\":\"authorization_failure\"", "\"result\":\"denied\"")
                .contains("\"action\":\"listUsers\"", "\"reason\":\"role_missing\"");
    }

    @Test
    void sign_ins_and_their_failures_are_on_record_without_names_or_secrets() {
        Api.Reply wrong =
                api.anonymous().post("/api/auth/login", "{\"username\":\"admin\",\"password\":\"guessed-password\"}");
        Api.Reply right = api.anonymous()
                .post("/api/auth/login", "{\"username\":\"admin\",\"password\":\"" + Api.ADMIN_PASSWORD + "\"}");
        Api.Reply token = api.token(Api.CLIENT_ID, Api.CLIENT_SECRET, "");
        Api.Reply bearer = api.bearer("nonsense").get("/api/v1/me");

        assertThat(await(wrong.header("X-Request-Id")))
                .contains("\"event_type\":\"authentication\"", "\"action\":\"login\"", "\"result\":\"failure\"");
        assertThat(await(right.header("X-Request-Id"))).contains("\"action\":\"login\"", "\"result\":\"success\"");
        assertThat(await(token.header("X-Request-Id"))).contains("\"action\":\"token\"", "\"result\":\"success\"");
        assertThat(await(bearer.header("X-Request-Id"))).contains("\"reason\":\"invalid_token\"");
        assertThat(api.events()).doesNotContain("guessed-password", Api.ADMIN_PASSWORD, Api.CLIENT_SECRET);
    }

    /// The event of a request, once it is written.
    private String await(String requestId) {
        String key = "\"request_id\":\"" + requestId + "\"";
        org.awaitility.Awaitility.await()
                .atMost(Duration.ofSeconds(5))
                .untilAsserted(() -> assertThat(api.events()).contains(key));
        String events = api.events();
        int at = events.indexOf(key);
        return events.substring(events.lastIndexOf("{\"", at), events.indexOf('}', at));
    }
}
