package dev.vigil.api;

import static org.assertj.core.api.Assertions.assertThat;

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
    }
}
