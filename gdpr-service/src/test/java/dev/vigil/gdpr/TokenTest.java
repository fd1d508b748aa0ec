package dev.vigil.gdpr;

import static dev.vigil.gdpr.Office.REQUESTS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.gdpr.Office.Person;
import dev.vigil.gdpr.Office.Reply;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/// What becomes of tokens that the service was shown, when the API takes back what they stand for.
class TokenTest {
    private static final Duration IN_FORCE = Duration.ofSeconds(2);

    private final Office office = Office.shared();
    private final String url = office.url() + REQUESTS;
    private final Person officer = office.person("privacy_officer");

    @Test
    void who_signed_out_is_refused_within_two_seconds_and_others_are_not() {
        Person other = office.person("privacy_officer");
        assertThat(officer.get(url).status()).isEqualTo(200);

        assertThat(officer.post(office.api() + "/api/auth/logout", "{}").status())
                .isEqualTo(204);

        await().atMost(IN_FORCE).until(() -> officer.get(url).status() == 401);
        assertThat(officer.get(url).code()).isEqualTo("invalid_token");
        assertThat(other.get(url).status()).isEqualTo(200);
    }

    @Test
    void who_lost_his_role_is_refused_within_two_seconds_whatever_his_token_says() {
        assertThat(officer.get(url).status()).isEqualTo(200);

        Office.send(
                        "PATCH",
                        office.api() + "/api/v1/users/" + officer.id(),
                        office.admin().token(),
                        "{\"role\":\"viewer\"}")
                .expect(200);

        await().atMost(IN_FORCE).until(() -> officer.get(url).status() == 403);
        assertThat(officer.get(url).code()).isEqualTo("role_missing");
    }

    @Test
    void while_the_api_is_silent_nobody_is_let_in_and_afterwards_everybody_is_again() {
        assertThat(officer.get(url).status()).isEqualTo(200);

        office.stopApi();
        try {
            await().atMost(IN_FORCE).until(() -> officer.get(url).status() == 503);
            Reply refused = officer.get(url);
            assertThat(refused.code()).isEqualTo("service_unavailable");
            assertThat(refused.header("Retry-After")).isNotEmpty();
        } finally {
            office.startApi();
        }

        await().atMost(Duration.ofSeconds(30)).until(() -> officer.get(url).status() == 200);
    }
}
