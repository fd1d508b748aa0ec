package dev.vigil.api.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.Api;
import dev.vigil.api.Api.Reply;
import dev.vigil.api.Upstreams;
import org.junit.jupiter.api.Test;

class GatewayTest {
    private final Api api = Api.shared();

    @Test
    void a_call_is_passed_on_with_the_callers_own_token() {
        Api.Http auditor = api.user("auditor");

        Reply reply = auditor.get("/api/v1/audit/events?limit=5&event_type=task_created");

        Upstreams.Asked asked = Api.behind().last();
        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.text()).isEqualTo("{\"items\":[]}");
        assertThat(reply.header("ETag")).isEqualTo("\"7\"");
        assertThat(asked.token()).isEqualTo("Bearer " + auditor.token());
        assertThat(asked.path()).isEqualTo("/api/v1/audit/events");
        assertThat(asked.query()).isEqualTo("limit=5&event_type=task_created");
        assertThat(asked.requestId()).isEqualTo(reply.header("X-Request-Id"));
    }

    @Test
    void a_body_and_a_refusal_pass_and_headers_that_are_nobodys_business_do_not() {
        Api.Http officer = api.user("privacy_officer");

        Reply made = officer.post("/api/v1/gdpr/requests", "{\"kind\":\"access\",\"subject\":\"s\",\"reason\":\"r\"}");
        String body = Api.behind().last().body();
        Reply refused = officer.post("/api/v1/gdpr/requests/dsr_1:reject");

        assertThat(made.status()).isEqualTo(200);
        assertThat(body).isEqualTo("{\"kind\":\"access\",\"subject\":\"s\",\"reason\":\"r\"}");
        assertThat(made.header("X-Secret-Detail")).isEmpty();
        assertThat(made.header("X-Frame-Options")).isEqualTo("DENY");
        assertThat(refused.status()).isEqualTo(409);
        assertThat(Api.behind().last().path()).isEqualTo("/api/v1/gdpr/requests/dsr_1:reject");
    }

    @Test
    void a_large_answer_comes_whole() {
        Reply export = api.user("privacy_officer").get("/api/v1/gdpr/requests/dsr_1/export");

        assertThat(export.text()).hasSize(3_000_000);
        assertThat(export.header("Content-Type")).isEqualTo("application/zip");
    }

    @Test
    void a_subject_is_asked_for_by_its_blind_index() {
        Api.Http auditor = api.user("auditor");

        auditor.get("/api/v1/audit/events?subject=customer-4711&limit=5").expect(200);

        assertThat(Api.behind().last().query()).matches("subject=[0-9a-f]{32}&limit=5");
    }

    @Test
    void the_audit_key_is_open_and_nothing_else_of_the_trail() {
        assertThat(api.anonymous().get("/api/v1/audit/public-key").status()).isEqualTo(200);
        assertThat(api.anonymous().get("/api/v1/audit/checkpoint").status()).isEqualTo(401);
        assertThat(api.client().get("/api/v1/audit/checkpoint").status()).isEqualTo(403);
        assertThat(api.admin().get("/api/v1/audit/tile/0/x001/067").status()).isEqualTo(200);
        assertThat(Api.behind().last().path()).isEqualTo("/api/v1/audit/tile/0/x001/067");
    }

    @Test
    void without_a_service_behind_it_a_route_does_not_exist() {
        try (Api alone = Api.start(java.util.Map.of("vigil.gdpr.url", "http://127.0.0.1:1"))) {
            Api.Http admin = alone.admin();

            assertThat(admin.get("/api/v1/audit/events").status()).isEqualTo(404);
            assertThat(alone.anonymous().get("/openapi.json").text()).doesNotContain("/api/v1/audit/events");
            Reply down = admin.get("/api/v1/gdpr/requests");
            assertThat(down.status()).isEqualTo(503);
            assertThat(down.code()).isEqualTo("service_unavailable");
            assertThat(down.header("Retry-After")).isNotEmpty();
        }
    }
}
