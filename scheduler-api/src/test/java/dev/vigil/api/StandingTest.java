package dev.vigil.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.Api.Reply;
import dev.vigil.api.web.Role;
import dev.vigil.api.web.Scope;
import dev.vigil.api.web.TokenMint;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// What services hear about tokens that they were shown.
class StandingTest {
    private static final String STANDING = "/oauth2/standing";

    private final Api api = Api.shared();
    private final TokenMint mint = api.context().getBean(TokenMint.class);

    @Test
    void a_token_stands_until_its_owner_signs_out_and_the_next_question_hears_it() {
        Api.Http person = api.user("auditor");
        Api.Http other = api.user("auditor");

        JsonNode before = person.get(STANDING).expect(200);
        person.post("/api/auth/logout").expect(204);
        JsonNode after = person.get(STANDING).expect(200);

        assertThat(before.path("active").asBoolean()).isTrue();
        assertThat(before.path("role").asString()).isEqualTo("auditor");
        assertThat(before.path("namespace").asInt()).isEqualTo(1);
        assertThat(after.path("active").asBoolean(true)).isFalse();
        assertThat(after.has("role")).isFalse();
        assertThat(other.get(STANDING).expect(200).path("active").asBoolean()).isTrue();
    }

    @Test
    void the_role_is_the_one_of_now_and_a_disabled_owner_has_none() {
        Api.Http person = api.user("auditor");
        String user = "/api/v1/users/"
                + person.get("/api/v1/me").expect(200).path("id").asString();

        api.admin().call("PATCH", user, "{\"role\":\"viewer\"}").expect(200);
        JsonNode changed = person.get(STANDING).expect(200);
        api.admin().post(user + ":disable").expect(200);
        JsonNode disabled = person.get(STANDING).expect(200);

        assertThat(changed.path("role").asString()).isEqualTo("viewer");
        assertThat(disabled.path("active").asBoolean(true)).isFalse();
    }

    @Test
    void a_token_of_a_service_stands_as_it_was_signed_and_opens_nothing_of_this_service() {
        Api.Http service = api.bearer(mint.ofService("gdpr", Role.AUDITOR, Scope.AUDIT_READ, Duration.ofMinutes(1)));

        JsonNode standing = service.get(STANDING).expect(200);

        assertThat(standing.path("active").asBoolean()).isTrue();
        assertThat(standing.path("role").asString()).isEqualTo("auditor");
        assertThat(service.get("/api/v1/me").status()).isEqualTo(401);
    }

    @Test
    void who_shows_no_token_of_ours_hears_nothing_and_uses_up_nobodys_limit() {
        String token = api.client().token();
        String key = api.admin()
                .post("/api/v1/api-keys", "{\"name\":\"standing\"}")
                .expect(201)
                .path("key")
                .asString();

        assertThat(api.anonymous().get(STANDING).code()).isEqualTo("unauthenticated");
        for (String shown : List.of("x", key, token.substring(0, token.length() - 8) + "AAAAAAAA")) {
            for (int i = 0; i < 12; i++) {
                Reply refused = api.bearer(shown).get(STANDING);
                assertThat(refused.code()).isEqualTo("invalid_token");
                assertThat(refused.header("RateLimit")).isEmpty();
            }
        }
    }
}
