package dev.vigil.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.Api.Reply;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Every refusal is a problem with a code and a request id, from whichever layer it comes.
class ErrorTest {
    private final Api api = Api.shared();
    private final Api.Http client = api.client();

    @Test
    void an_unknown_route_is_401_for_strangers_and_404_for_everybody_else() {
        for (String path :
                List.of("/api/v1/nope", "/nope", "/", "/api/v1/locks", "/worker/v1/cores", "/internal/v1/x")) {
            assertProblem(api.anonymous().get(path), 401, "unauthenticated");
            assertProblem(client.get(path), 404, "not_found");
        }
    }

    @Test
    void a_wrong_method_is_405_with_allow() {
        Reply reply = client.call("PUT", "/api/v1/tasks", "{}");

        assertProblem(reply, 405, "method_not_allowed");
        assertThat(reply.header("Allow")).isEqualTo("GET, POST");
        Reply open = api.anonymous().get("/oauth2/token");
        assertProblem(open, 405, "method_not_allowed");
        assertThat(open.header("Allow")).isEqualTo("POST");
    }

    @Test
    void a_challenge_comes_with_each_401() {
        assertThat(api.anonymous().get("/api/v1/me").header("WWW-Authenticate")).startsWith("Bearer");
        assertThat(api.bearer("x").get("/api/v1/me").header("WWW-Authenticate")).contains("invalid_token");
    }

    @Test
    void an_unreadable_body_is_400_and_says_where_without_echoing_it() {
        for (String body : List.of(
                "{",
                "",
                "[]",
                "\"secret-value\"",
                "{\"name\":secret-value}",
                "{\"name\":\"a\",\"name\":\"secret-value\"}",
                "{\"payload\":{\"secret-value\":1,\"secret-value\":2}}",
                "{} {}",
                "{\"name\":\"secret-value\\u0000\"}",
                "{\"payload\":\"secret-value\\u0000\"}",
                "{\"payload\":" + "[".repeat(65) + "]".repeat(65) + "}",
                "{\"labels\":" + "{\"a\":".repeat(65) + "1" + "}".repeat(66))) {
            Reply reply = client.post("/api/v1/tasks", body);

            assertProblem(reply, 400, "malformed_request");
            assertThat(reply.text()).doesNotContain("secret-value");
        }
    }

    @Test
    void an_unknown_field_is_400_with_its_pointer_and_a_guess() {
        Reply reply = client.post("/api/v1/tasks", """
                {"name":"a","handler":"demo.echo","shedule":{"type":"one_time"},"payload":1}""");

        assertProblem(reply, 400, "unknown_field");
        assertThat(reply.json().path("errors").path(0).path("pointer").asString())
                .isEqualTo("/shedule");
        assertThat(reply.json().path("errors").path(0).path("hint").asString()).isEqualTo("did you mean schedule?");
        Reply inner = client.post("/api/v1/tasks", """
                {"name":"a","handler":"demo.echo","schedule":{"type":"one_time","cron":"* * * * *"},"payload":1}""");
        assertProblem(inner, 400, "unknown_field");
        assertThat(inner.json().path("errors").path(0).path("pointer").asString())
                .isEqualTo("/schedule/cron");
    }

    @Test
    void impossible_values_are_422_and_all_of_them_are_named() {
        Reply reply = client.post("/api/v1/tasks", """
                {"handler":7,"schedule":{"type":"cron","cron":"61 * * * *","timezone":"Mars/Base"},
                 "priority":"urgent","timeout":"PT0S","retry":{"max_attempts":0},"labels":{"a":1}}""");

        assertProblem(reply, 422, "validation_failed");
        var pointers = new java.util.ArrayList<String>();
        reply.json()
                .path("errors")
                .forEach(error -> pointers.add(error.path("pointer").asString()));
        assertThat(pointers)
                .containsExactlyInAnyOrder(
                        "/name",
                        "/handler",
                        "/payload",
                        "/schedule/cron",
                        "/schedule/timezone",
                        "/priority",
                        "/timeout",
                        "/retry/max_attempts",
                        "/labels");
    }

    @Test
    void a_body_that_is_no_json_type_is_415() {
        Reply reply = client.call("POST", "/api/v1/tasks", null, "Content-Type", "text/plain");

        assertProblem(reply, 415, "unsupported_media_type");
        assertProblem(client.call("POST", "/api/v1/tasks", null), 415, "unsupported_media_type");
    }

    @Test
    void an_unknown_or_doubled_parameter_and_a_bad_cursor_or_sort_are_400() {
        assertProblem(client.get("/api/v1/tasks?colour=red"), 400, "unknown_parameter");
        assertProblem(client.get("/api/v1/tasks?limit=1&limit=2"), 400, "unknown_parameter");
        assertProblem(client.get("/api/v1/tasks?after=AAAA"), 400, "bad_cursor");
        assertProblem(client.get("/api/v1/tasks?after=%00"), 400, "malformed_request");
        assertProblem(client.get("/api/v1/tasks?sort=name"), 400, "bad_sort");
        assertProblem(client.get("/api/v1/tasks?limit=0"), 422, "validation_failed");
        assertProblem(client.get("/api/v1/tasks?state=open"), 422, "validation_failed");
    }

    @Test
    void an_id_of_another_kind_and_an_id_of_nothing_are_404_alike() {
        Reply kind = client.get("/api/v1/tasks/exe_01k9zzzzzzzzzzzzzzzzzzzzzz");
        Reply nothing = client.get("/api/v1/tasks/tsk_01k9zzzzzzzzzzzzzzzzzzzzzz");

        assertProblem(kind, 404, "not_found");
        assertProblem(nothing, 404, "not_found");
        assertThat(kind.json().path("detail")).isEqualTo(nothing.json().path("detail"));
    }

    @Test
    void every_answer_carries_the_security_headers() {
        for (Reply reply : List.of(
                client.get("/api/v1/me"),
                client.get("/api/v1/nope"),
                api.anonymous().get("/api/v1/me"),
                api.anonymous().get("/livez"),
                api.anonymous().get("/oauth2/jwks"),
                api.token("nobody", "x", ""),
                api.anonymous().get("/swagger"))) {
            assertThat(reply.header("Content-Security-Policy"))
                    .contains("default-src 'none'")
                    .doesNotContain("unsafe");
            assertThat(reply.header("X-Frame-Options")).isEqualTo("DENY");
            assertThat(reply.header("X-Content-Type-Options")).isEqualTo("nosniff");
            assertThat(reply.header("Referrer-Policy")).isEqualTo("no-referrer");
            assertThat(reply.header("X-Request-Id")).startsWith("req_");
            assertThat(reply.header("Server")).isEmpty();
        }
        assertThat(client.get("/api/v1/me").header("Cache-Control")).isEqualTo("no-store");
    }

    @Test
    void what_is_no_http_is_answered_with_a_problem_too() throws IOException {
        assertThat(raw("GET /api/v1/me[] HTTP/1.1\r\nHost: x\r\n\r\n"))
                .contains(" 400 ", "application/problem+json", "malformed_request", "X-Frame-Options: DENY")
                .doesNotContain("Apache", "<html");
        assertThat(raw("GET /api/v1/tasks/..%2f..%2fme HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
                .contains(" 400 ", "application/problem+json");
        assertThat(raw("BREW /api/v1/tasks HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
                .contains(" 401 ", "application/problem+json");
    }

    private String raw(String request) throws IOException {
        String[] address = api.url().substring("http://".length()).split(":");
        try (var socket = new Socket(address[0], Integer.parseInt(address[1]))) {
            socket.setSoTimeout(5_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            socket.shutdownOutput();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static void assertProblem(Reply reply, int status, String code) {
        assertThat(reply.status()).as(reply.text()).isEqualTo(status);
        assertThat(reply.header("Content-Type")).startsWith("application/problem+json");
        assertThat(reply.json().path("status").asInt()).isEqualTo(status);
        assertThat(reply.code()).isEqualTo(code);
        assertThat(reply.json().path("request_id").asString()).startsWith("req_");
        assertThat(reply.json().path("type").asString()).startsWith("/problems/");
        assertThat(reply.json().path("title").asString()).isNotEmpty();
        assertThat(reply.json().path("detail").asString()).isNotEmpty();
        assertThat(reply.json().path("instance").asString()).startsWith("/");
    }
}
