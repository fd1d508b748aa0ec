package dev.vigil.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vigil.api.Api.Reply;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// Limits that other tests would run into, and what outlives a restart.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class OwnSettingsTest {
    private Api api;

    @BeforeAll
    void start() {
        api = Api.start(Map.of(
                "vigil.limits.requests-per-minute", 100,
                "vigil.limits.unauthenticated-per-minute", 10,
                "vigil.trusted-proxies", "127.0.0.1,10.0.0.0/8",
                "management.server.port", 0));
    }

    @AfterAll
    void stop() {
        api.close();
    }

    @Test
    void a_principal_has_a_hundred_calls_a_minute_and_learns_when_to_come_back() {
        Api.Http viewer = api.user("viewer");
        Reply first = viewer.get("/api/v1/me");
        for (int i = 1; i < 100; i++) {
            assertThat(viewer.get("/api/v1/me").status()).isEqualTo(200);
        }

        Reply refused = viewer.get("/api/v1/me");

        assertThat(first.header("RateLimit-Policy")).isEqualTo("\"default\";q=100;w=60");
        assertThat(first.header("RateLimit")).startsWith("\"default\";r=99;t=");
        assertThat(refused.status()).isEqualTo(429);
        assertThat(refused.code()).isEqualTo("rate_limited");
        assertThat(Integer.parseInt(refused.header("Retry-After"))).isBetween(1, 62);
        assertThat(refused.header("RateLimit")).startsWith("\"default\";r=0;");
        assertThat(api.admin().get("/api/v1/me").status()).isEqualTo(200);
    }

    @Test
    void an_address_has_ten_calls_without_or_with_bad_credentials_and_a_good_token_still_works() {
        Api.Http admin = api.admin();
        String stranger = "10.1.2.3, 203.0.113.7";
        for (int i = 0; i < 10; i++) {
            String header = i % 2 == 0 ? "Bearer nonsense" : "Basic abc";
            assertThat(from(stranger, "Authorization", header).status()).isEqualTo(401);
        }

        assertThat(from(stranger, "Authorization", "Bearer x").status()).isEqualTo(429);
        assertThat(from(stranger, "Authorization", "Bearer " + admin.token()).status())
                .isEqualTo(200);
        assertThat(from("203.0.113.8", "Authorization", "Bearer x").status()).isEqualTo(401);
        assertThat(api.anonymous()
                        .call(
                                "POST",
                                "/api/auth/logout",
                                null,
                                "X-Forwarded-For",
                                stranger,
                                "Authorization",
                                "Bearer "
                                        + api.login("admin", Api.ADMIN_PASSWORD).token())
                        .status())
                .as("a good token logs out where strangers have used up their calls")
                .isEqualTo(204);
        assertThat(api.anonymous().get("/oauth2/jwks").status()).isEqualTo(200);
    }

    @Test
    void guessing_a_password_is_slowed_down_from_the_fifth_failure_and_a_success_forgets_it() {
        String name = "guessed";
        api.admin()
                .post(
                        "/api/v1/users",
                        "{\"username\":\"guessed\",\"password\":\"%s\",\"role\":\"viewer\"}"
                                .formatted(Api.ADMIN_PASSWORD))
                .expect(201);
        for (int i = 0; i < 4; i++) {
            assertThat(login(name, "wrong password").status()).isEqualTo(401);
        }
        assertThat(login(name, Api.ADMIN_PASSWORD).status()).isEqualTo(200);
        for (int i = 0; i < 5; i++) {
            assertThat(login(name, "wrong password").status()).isEqualTo(401);
        }

        Reply slowed = login(name, Api.ADMIN_PASSWORD);

        assertThat(slowed.status()).isEqualTo(429);
        assertThat(slowed.header("Retry-After")).isNotEmpty();
        assertThat(login("admin", Api.ADMIN_PASSWORD).status()).isEqualTo(200);
    }

    @Test
    void the_addresses_of_one_ipv6_network_share_their_limit_and_what_is_public_stays_free() {
        for (int i = 1; i <= 10; i++) {
            assertThat(from("2001:db8:1:1::" + i).status()).isEqualTo(401);
        }

        assertThat(from("2001:db8:1:1:ffff::1").status()).isEqualTo(429);
        assertThat(from("2001:db8:1:2::1").status()).isEqualTo(401);
        for (String free : java.util.List.of(
                "/.well-known/openid-configuration",
                "/oauth2/jwks",
                "/openapi.json",
                "/swagger",
                "/problems/conflict")) {
            assertThat(api.anonymous()
                            .call("GET", free, null, "X-Forwarded-For", "2001:db8:1:1::1")
                            .status())
                    .as(free)
                    .isEqualTo(200);
        }
    }

    @Test
    void every_limited_answer_tells_the_limit_whatever_it_is() {
        Api.Http admin = api.admin();
        for (Reply reply : java.util.List.of(
                admin.get("/api/v1/me"),
                admin.get("/api/v1/nowhere"),
                admin.call("DELETE", "/api/v1/me", null),
                from("203.0.113.20"),
                from("203.0.113.20", "Authorization", "Bearer x"))) {
            assertThat(reply.header("RateLimit-Policy")).matches("\"default\";q=[0-9]+;w=60");
            assertThat(reply.header("RateLimit")).matches("\"default\";r=[0-9]+;t=[0-9]+");
        }
        assertThat(api.anonymous().get("/oauth2/jwks").header("RateLimit")).isEmpty();
    }

    @Test
    void forwarding_headers_count_only_from_configured_proxies() {
        String key = "{\"name\":\"from there\",\"allowed_ips\":[\"203.0.113.99\"]}";
        String behindProxy = api.admin()
                .post("/api/v1/api-keys", key)
                .expect(201)
                .path("key")
                .asString();
        String direct = Api.shared()
                .admin()
                .post("/api/v1/api-keys", key)
                .expect(201)
                .path("key")
                .asString();

        Reply trusted = from("203.0.113.99", "Authorization", "Bearer " + behindProxy);
        Reply untrusted =
                Api.shared().bearer(direct).call("GET", "/api/v1/me", null, "X-Forwarded-For", "203.0.113.99");

        assertThat(trusted.status()).isEqualTo(200);
        assertThat(untrusted.status()).isEqualTo(401);
    }

    @Test
    void token_and_refresh_are_slowed_down_from_the_fifth_failure_too() {
        for (int i = 0; i < 5; i++) {
            assertThat(api.token("guessed-client", "wrong", "").status()).isEqualTo(401);
            assertThat(refresh().status()).isEqualTo(401);
        }

        assertThat(api.token("guessed-client", "wrong", "").status()).isEqualTo(429);
        Reply slowed = refresh();
        assertThat(slowed.status()).isEqualTo(429);
        assertThat(slowed.header("Retry-After")).isNotEmpty();
        assertThat(api.token(Api.CLIENT_ID, Api.CLIENT_SECRET, "").status()).isEqualTo(200);
    }

    private Reply refresh() {
        return api.anonymous()
                .call(
                        "POST",
                        "/api/auth/refresh",
                        "{\"refresh_token\":\"nonsense\"}",
                        "X-Forwarded-For",
                        "203.0.113.50");
    }

    @Test
    void health_needs_no_token_and_has_its_own_limit() {
        assertThat(api.anonymous().get("/livez").status()).isEqualTo(200);
        assertThat(api.anonymous().get("/readyz").expect(200).path("status").asString())
                .isEqualTo("up");

        int refused = 0;
        for (int i = 0; i < 40; i++) {
            refused += api.anonymous().get("/livez").status() == 429 ? 1 : 0;
        }
        assertThat(refused).isPositive();
    }

    @Test
    void tokens_and_accounts_outlive_a_restart() {
        Api.Http before = api.client();
        String id = before.get("/api/v1/me").expect(200).path("id").asString();

        api.restart();

        assertThat(before.get("/api/v1/me").expect(200).path("id").asString()).isEqualTo(id);
        assertThat(api.query(
                        "SELECT count(*) FROM access.principal WHERE username IN ('admin', 'vigil-client')",
                        Long.class))
                .isEqualTo(2);
        assertThat(api.query("SELECT count(*) FROM access.signing_key", Long.class))
                .isEqualTo(1);
    }

    @Test
    void an_unknown_setting_stops_the_start_and_is_named() {
        assertThatThrownBy(() ->
                        ApiService.start(Map.of("vigil.url", "http://127.0.0.1:1", "vigil.limts.token-life", "1h")))
                .hasStackTraceContaining("vigil.limts.token-life");
    }

    private Reply from(String forwarded, String... headers) {
        var all = new java.util.ArrayList<>(java.util.List.of(headers));
        all.add("X-Forwarded-For");
        all.add(forwarded);
        return api.anonymous().call("GET", "/api/v1/me", null, all.toArray(String[]::new));
    }

    private Reply login(String name, String password) {
        return api.anonymous()
                .post("/api/auth/login", "{\"username\":\"%s\",\"password\":\"%s\"}".formatted(name, password));
    }
}
