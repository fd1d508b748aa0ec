package dev.vigil.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.Api.Reply;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Signing in to a program: the authorization code flow, step by step, and what must not work.
class AuthorizeTest {
    private static final String VERIFIER = "a-verifier-that-is-long-enough-to-be-one-0123456789";
    private static final Pattern HIDDEN = Pattern.compile("name=\"(request|form)\" value=\"([^\"]*)\"");

    private final Api api = Api.shared();
    private final Browser browser = new Browser(api.url());

    @Test
    void a_person_signs_in_consents_and_the_program_acts_for_him_with_what_he_granted() {
        String code = code(Map.of("scope", "openid tasks:read", "nonce", "n-1", "state", "s 1"));

        JsonNode tokens = trade(code).expect(200);

        Api.Http program = api.bearer(tokens.path("access_token").asString());
        assertThat(program.get("/api/v1/tasks").status()).isEqualTo(200);
        assertThat(program.get("/api/v1/executions").code()).isEqualTo("scope_missing");
        assertThat(program.get("/userinfo")
                        .expect(200)
                        .path("preferred_username")
                        .asString())
                .isEqualTo("admin");
        JsonNode id = claims(tokens.path("id_token").asString());
        assertThat(id.path("nonce").asString()).isEqualTo("n-1");
        assertThat(id.path("aud").toString()).contains("vigil-swagger");
        assertThat(id.path("sub"))
                .isEqualTo(program.get("/userinfo").expect(200).path("sub"));
        assertThat(id.path("auth_time").asLong()).isPositive();
        assertThat(browser.location()).contains("state=s+1", "iss=" + Api.encode(api.url()));
        assertThat(api.bearer(tokens.path("id_token").asString())
                        .get("/api/v1/me")
                        .code())
                .isEqualTo("invalid_token");
    }

    @Test
    void without_openid_there_is_no_id_token_and_without_a_scope_all_of_the_persons_are_granted() {
        JsonNode tokens = trade(code(Map.of())).expect(200);

        assertThat(tokens.has("id_token")).isFalse();
        assertThat(tokens.path("scope").asString().split(" ")).contains("users:manage", "tasks:write");
        assertThat(tokens.path("expires_in").asInt()).isBetween(1, 3600);
    }

    @Test
    void a_code_used_twice_is_refused_and_ends_what_it_gave() {
        String code = code(Map.of());
        JsonNode tokens = trade(code).expect(200);
        Api.Http program = api.bearer(tokens.path("access_token").asString());
        assertThat(program.get("/api/v1/me").status()).isEqualTo(200);

        Reply again = trade(code);

        assertThat(again.status()).isEqualTo(400);
        assertThat(again.json().path("error").asString()).isEqualTo("invalid_grant");
        assertThat(program.get("/api/v1/me").code()).isEqualTo("invalid_token");
        assertThat(refresh(tokens).json().path("error").asString()).isEqualTo("invalid_grant");
        assertThat(api.events()).contains("code_reused");
    }

    @Test
    void a_code_is_bound_to_its_verifier_its_redirect_uri_and_its_client() {
        String code = code(Map.of());

        assertThat(trade(Map.of("code", code, "code_verifier", "x".repeat(43))).status())
                .isEqualTo(400);
        assertThat(trade(Map.of("code", code, "redirect_uri", api.url() + "/")).status())
                .isEqualTo(400);
        assertThat(trade(Map.of("code", code, "client_id", "other")).status()).isEqualTo(401);
        assertThat(trade(Map.of("code", code + "x")).status()).isEqualTo(400);
        assertThat(api.form(
                                "/oauth2/token",
                                form(Map.of(
                                        "grant_type",
                                        "authorization_code",
                                        "code",
                                        code,
                                        "redirect_uri",
                                        redirectUri(),
                                        "code_verifier",
                                        VERIFIER)),
                                Api.basic(Api.CLIENT_ID, Api.CLIENT_SECRET))
                        .status())
                .isEqualTo(400);
        assertThat(trade(code).status()).isEqualTo(200);
    }

    @Test
    void a_refresh_token_works_once_and_its_second_use_ends_the_sign_in() {
        JsonNode first = trade(code(Map.of("scope", "tasks:read"))).expect(200);
        JsonNode second = refresh(first).expect(200);
        Api.Http program = api.bearer(second.path("access_token").asString());
        assertThat(program.scopes()).containsExactly("tasks:read");
        assertThat(program.get("/api/v1/me").status()).isEqualTo(200);

        Reply reused = refresh(first);

        assertThat(reused.status()).isEqualTo(400);
        assertThat(refresh(second).status()).isEqualTo(400);
        assertThat(program.get("/api/v1/me").status()).isEqualTo(401);
    }

    @Test
    void a_refresh_token_is_nothing_elsewhere_and_a_family_that_sql_widened_knows_none() {
        JsonNode tokens = trade(code(Map.of("scope", "tasks:read"))).expect(200);
        String refresh = tokens.path("refresh_token").asString();

        assertThat(api.anonymous()
                        .post("/api/auth/refresh", "{\"refresh_token\":\"%s\"}".formatted(refresh))
                        .status())
                .isEqualTo(401);
        api.execute("UPDATE access.refresh_family SET scopes = '{tasks:read,users:manage}' WHERE scopes ="
                + " '{tasks:read}'");
        assertThat(refresh(tokens).status()).isEqualTo(400);
    }

    @Test
    void a_program_ends_its_sign_in_by_revoking_the_refresh_token() {
        JsonNode tokens = trade(code(Map.of())).expect(200);
        Api.Http program = api.bearer(tokens.path("access_token").asString());
        assertThat(program.get("/api/v1/me").status()).isEqualTo(200);

        Reply revoked = api.form(
                "/oauth2/revoke",
                form(Map.of("token", tokens.path("refresh_token").asString(), "client_id", "vigil-swagger")),
                "");

        assertThat(revoked.status()).as(revoked.text()).isEqualTo(200);
        assertThat(program.get("/api/v1/me").status()).isEqualTo(401);
        assertThat(refresh(tokens).status()).isEqualTo(400);
    }

    @ParameterizedTest
    @CsvSource({
        "response_type, token, unsupported_response_type",
        "code_challenge_method, plain, invalid_request",
        "code_challenge, short, invalid_request",
        "scope, everything, invalid_scope",
        "request_uri, https://example.com/r, request_uri_not_supported",
        "prompt, none, interaction_required"
    })
    void a_request_that_cannot_be_granted_is_answered_to_the_program(String name, String value, String error) {
        HttpResponse<String> answer = browser.get(authorize(Map.of(name, value, "state", "s")));

        assertThat(answer.statusCode()).isEqualTo(303);
        assertThat(browser.location()).startsWith(redirectUri() + "?").contains("error=" + error, "state=s");
    }

    @Test
    void an_unknown_client_or_redirect_uri_is_told_here_and_never_there() {
        for (Map<String, String> wrong : List.of(
                Map.of("client_id", "nobody"),
                Map.of("redirect_uri", "https://evil.example/"),
                Map.of("redirect_uri", redirectUri() + "?x=1"),
                Map.of("redirect_uri", redirectUri() + "/"))) {
            HttpResponse<String> answer = browser.get(authorize(wrong));

            assertThat(answer.statusCode()).isEqualTo(400);
            assertThat(answer.headers().firstValue("Location")).isEmpty();
            assertThat(answer.headers().firstValue("Content-Type").orElse("")).contains("problem+json");
        }
        assertThat(browser.get(authorize(Map.of()) + "&client_id=vigil-swagger").statusCode())
                .isEqualTo(400);
    }

    @Test
    void whoever_denies_sends_the_program_away() {
        browser.get(authorize(Map.of("state", "s")));
        browser.submit("login", Map.of("username", "admin", "password", Api.ADMIN_PASSWORD));
        browser.follow();

        browser.submit("consent", Map.of("decision", "deny"));

        assertThat(browser.location()).contains("error=access_denied").doesNotContain("code=");
    }

    @Test
    void a_wrong_password_shows_the_form_again_and_somebody_else_can_sign_in() {
        browser.get(authorize(Map.of()));

        HttpResponse<String> wrong =
                browser.submit("login", Map.of("username", "admin<b>", "password", "not the password"));

        assertThat(wrong.statusCode()).isEqualTo(401);
        assertThat(wrong.body()).contains("Name or password is wrong").doesNotContain("<b>");
        browser.submit("login", Map.of("username", "admin", "password", Api.ADMIN_PASSWORD));
        assertThat(browser.follow().body()).contains("Allow access?", "vigil-swagger");
        browser.submit("consent", Map.of("decision", "leave"));
        assertThat(browser.follow().body()).contains("name=\"password\"");
    }

    @Test
    void a_form_that_this_browser_was_not_shown_is_refused() {
        browser.get(authorize(Map.of()));
        Map<String, String> login = Map.of("username", "admin", "password", Api.ADMIN_PASSWORD);

        var stranger = new Browser(api.url());
        assertThat(stranger.post("login", browser.with(login)).statusCode()).isEqualTo(403);
        var other = new java.util.HashMap<>(browser.with(login));
        other.put("request", other.get("request") + "&prompt=login");
        assertThat(browser.post("login", other).statusCode()).isEqualTo(403);
        assertThat(browser.post("login", browser.with(login), "Sec-Fetch-Site", "cross-site")
                        .statusCode())
                .isEqualTo(403);
        assertThat(browser.post("consent", Map.of("decision", "allow")).statusCode())
                .isEqualTo(403);
    }

    @Test
    void the_pages_run_no_script_are_framed_by_nobody_and_their_cookie_stays_out_of_scripts() {
        HttpResponse<String> page = browser.get(authorize(Map.of("state", "\"><script>alert(1)</script>")));

        assertThat(page.statusCode()).isEqualTo(200);
        assertThat(page.headers().firstValue("Content-Security-Policy").orElse(""))
                .contains("default-src 'none'", "style-src 'self'", "frame-ancestors 'none'", "form-action 'self'")
                .doesNotContain("unsafe", "script-src");
        assertThat(page.headers().firstValue("Set-Cookie").orElse(""))
                .contains("HttpOnly", "SameSite=Strict", "Path=/oauth2/authorize", "Max-Age=");
        assertThat(page.headers().firstValue("Cache-Control")).contains("no-store");
        assertThat(page.body()).doesNotContain("<script");
        assertThat(browser.get("/oauth2/authorize/style.css").statusCode()).isEqualTo(200);
    }

    @Test
    void a_new_password_ends_the_browsers_sign_in() {
        Api.Http viewer = api.user("viewer");
        JsonNode me = viewer.get("/api/v1/me").expect(200);
        browser.get(authorize(Map.of()));
        browser.submit("login", Map.of("username", me.path("username").asString(), "password", Api.ADMIN_PASSWORD));
        assertThat(browser.follow().body()).contains("Allow access?");

        api.admin()
                .call("PATCH", "/api/v1/users/" + me.path("id").asString(), "{\"password\":\"another passphrase\"}")
                .expect(200);

        assertThat(browser.get(authorize(Map.of())).body()).contains("name=\"password\"");
    }

    @Test
    void prompt_login_and_max_age_ask_for_the_password_again() {
        browser.get(authorize(Map.of()));
        browser.submit("login", Map.of("username", "admin", "password", Api.ADMIN_PASSWORD));
        assertThat(browser.follow().body()).contains("Allow access?");

        assertThat(browser.get(authorize(Map.of("prompt", "login"))).body()).contains("name=\"password\"");
        browser.submit("login", Map.of("username", "admin", "password", Api.ADMIN_PASSWORD));
        assertThat(browser.follow().body()).contains("Allow access?");
        assertThat(browser.get(authorize(Map.of("max_age", "3600"))).body()).contains("Allow access?");
    }

    @Test
    void discovery_names_the_flow() {
        JsonNode discovery =
                api.anonymous().get("/.well-known/openid-configuration").expect(200);

        assertThat(discovery.path("authorization_endpoint").asString()).isEqualTo(api.url() + "/oauth2/authorize");
        assertThat(discovery.path("code_challenge_methods_supported").toString())
                .isEqualTo("[\"S256\"]");
        assertThat(discovery.path("response_types_supported").toString()).isEqualTo("[\"code\"]");
    }

    private String redirectUri() {
        return api.url() + "/swagger/oauth2-redirect.html";
    }

    private String authorize(Map<String, String> more) {
        var query = new java.util.LinkedHashMap<>(Map.of(
                "response_type", "code",
                "client_id", "vigil-swagger",
                "redirect_uri", redirectUri(),
                "code_challenge_method", "S256",
                "code_challenge", challenge()));
        query.putAll(more);
        return "/oauth2/authorize?" + form(query);
    }

    private String code(Map<String, String> more) {
        browser.get(authorize(more));
        browser.submit("login", Map.of("username", "admin", "password", Api.ADMIN_PASSWORD));
        browser.follow();
        browser.submit("consent", Map.of("decision", "allow"));
        Matcher code = Pattern.compile("[?&]code=([^&]+)").matcher(browser.location());
        assertThat(code.find()).as(browser.location()).isTrue();
        return code.group(1);
    }

    private Reply trade(String code) {
        return trade(Map.of("code", code));
    }

    private Reply trade(Map<String, String> given) {
        var form = new java.util.HashMap<>(Map.of(
                "grant_type",
                "authorization_code",
                "client_id",
                "vigil-swagger",
                "redirect_uri",
                redirectUri(),
                "code_verifier",
                VERIFIER));
        form.putAll(given);
        return api.form("/oauth2/token", form(form), "");
    }

    private Reply refresh(JsonNode tokens) {
        return api.form(
                "/oauth2/token",
                form(Map.of(
                        "grant_type",
                        "refresh_token",
                        "client_id",
                        "vigil-swagger",
                        "refresh_token",
                        tokens.path("refresh_token").asString())),
                "");
    }

    private static String challenge() {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(VERIFIER.getBytes(StandardCharsets.US_ASCII));
            return Base64.getUrlEncoder().withoutPadding().encodeToString(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private static JsonNode claims(String token) {
        return JsonMapper.shared().readTree(Base64.getUrlDecoder().decode(token.split("\\.")[1]));
    }

    private static String form(Map<String, String> values) {
        return values.entrySet().stream()
                .map(entry -> entry.getKey() + "=" + Api.encode(entry.getValue()))
                .collect(Collectors.joining("&"));
    }

    /// What a browser does, as far as these pages need it: one cookie, hidden fields, no redirect unasked.
    private static final class Browser {
        private final HttpClient http = HttpClient.newHttpClient();
        private final String url;
        private String cookie = "";
        private @Nullable HttpResponse<String> last;

        Browser(String url) {
            this.url = url;
        }

        HttpResponse<String> get(String path) {
            return send(HttpRequest.newBuilder(URI.create(url + path)).GET());
        }

        HttpResponse<String> follow() {
            return get(location());
        }

        String location() {
            return shown().headers().firstValue("Location").orElseThrow(() -> new AssertionError(shown().body()));
        }

        private HttpResponse<String> shown() {
            return Objects.requireNonNull(last, "nothing was asked for yet");
        }

        /// The hidden fields of the page that is shown, and these.
        Map<String, String> with(Map<String, String> fields) {
            var all = new java.util.HashMap<>(fields);
            Matcher hidden = HIDDEN.matcher(shown().body());
            while (hidden.find()) {
                all.put(hidden.group(1), hidden.group(2).replace("&amp;", "&"));
            }
            return all;
        }

        HttpResponse<String> submit(String form, Map<String, String> fields) {
            return post(form, with(fields));
        }

        HttpResponse<String> post(String form, Map<String, String> fields, String... headers) {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + "/oauth2/authorize/" + form))
                    .header("Content-Type", "application/x-www-form-urlencoded")
                    .POST(HttpRequest.BodyPublishers.ofString(AuthorizeTest.form(fields)));
            if (headers.length > 0) {
                request.headers(headers);
            }
            return send(request);
        }

        private HttpResponse<String> send(HttpRequest.Builder request) {
            if (!cookie.isEmpty()) {
                request.header("Cookie", cookie);
            }
            try {
                HttpResponse<String> answer = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
                answer.headers().firstValue("Set-Cookie").ifPresent(set -> cookie = set.split(";", 2)[0]);
                if (answer.statusCode() != 403) {
                    last = answer;
                }
                return answer;
            } catch (IOException e) {
                throw new AssertionError(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError(e);
            }
        }
    }
}
