package dev.vigil.audit;

import static dev.vigil.audit.RunningService.EVENTS;
import static dev.vigil.audit.RunningService.assertProblem;
import static dev.vigil.audit.RunningService.event;
import static dev.vigil.audit.RunningService.head;
import static dev.vigil.audit.RunningService.path;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Who may read the log, and what everybody else gets.
class AuditAccessTest {
    private static final RunningService SERVICE = new RunningService();
    private static final Duration IN_FORCE = Duration.ofSeconds(2);

    @AfterAll
    static void stop() {
        SERVICE.close();
    }

    @Test
    void strangers_get_health_and_the_public_key_and_nothing_else() throws Exception {
        assertThat(SERVICE.get("/livez", null).statusCode()).isEqualTo(200);
        await().until(() -> SERVICE.get("/readyz", null).statusCode() == 200);
        assertThat(SERVICE.get("/api/v1/audit/public-key", null).statusCode()).isEqualTo(200);
        for (String path : List.of(
                EVENTS, "/api/v1/audit/checkpoint", "/api/v1/audit/tile/0/000.p/1", "/", "/api/v1/tasks", "/metrics")) {
            HttpResponse<byte[]> answer = SERVICE.get(path, null);
            assertProblem(answer, 401, "unauthenticated");
            assertThat(answer.headers().firstValue("WWW-Authenticate")).hasValue("Bearer");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"scheduler", "operator", "executor", "viewer", "privacy_officer", "root", ""})
    void other_roles_are_refused(String role) throws Exception {
        String token = SERVICE.issuer().token(UUID.randomUUID(), role, "audit:read");

        for (String path : List.of(EVENTS, "/api/v1/audit/checkpoint", "/api/v1/audit/tile/entries/000.p/1")) {
            assertProblem(SERVICE.get(path, token), 403, "role_missing");
        }
    }

    @Test
    void an_admin_may_read_and_a_token_without_the_scope_may_not() throws Exception {
        assertThat(SERVICE.get(EVENTS, SERVICE.issuer().token(UUID.randomUUID(), "admin", "tasks:read", "audit:read"))
                        .statusCode())
                .isEqualTo(200);
        assertThat(SERVICE.get(
                                EVENTS,
                                SERVICE.issuer()
                                        .signed(SERVICE.issuer()
                                                .claims(UUID.randomUUID(), "auditor")
                                                .claim("scope", "tasks:read audit:read")
                                                .build()))
                        .statusCode())
                .isEqualTo(200);
        assertProblem(
                SERVICE.get(EVENTS, SERVICE.issuer().token(UUID.randomUUID(), "admin", "tasks:read", "audit:readx")),
                403,
                "scope_missing");
        assertProblem(SERVICE.get(EVENTS, SERVICE.issuer().token(UUID.randomUUID(), "auditor")), 403, "scope_missing");
    }

    @Test
    void tokens_that_are_not_sound_are_refused() throws Exception {
        JWTClaimsSet sound = SERVICE.issuer()
                .claims(SERVICE.auditor(), "auditor", "audit:read")
                .build();
        var refused = new LinkedHashMap<String, String>();
        refused.put("none", new PlainJWT(sound).serialize());
        refused.put("forged", SERVICE.issuer().forged(sound));
        refused.put("hmac", SERVICE.issuer().hmac(sound));
        refused.put("type", SERVICE.issuer().typed(sound, "dpop+jwt"));
        refused.put(
                "ended",
                changed(claims -> claims.expirationTime(Date.from(Instant.now().minusSeconds(60)))));
        refused.put("endless", changed(claims -> claims.expirationTime(null)));
        refused.put(
                "future",
                changed(claims -> claims.notBeforeTime(Date.from(Instant.now().plusSeconds(120)))));
        refused.put("issuer", changed(claims -> claims.issuer("http://elsewhere")));
        refused.put("no issuer", changed(claims -> claims.issuer(null)));
        refused.put("no subject", changed(claims -> claims.subject(null)));
        refused.put("no user", changed(claims -> claims.subject("wrk_00000000000000000000000000")));
        refused.put("no role", changed(claims -> claims.claim("role", null)));
        refused.put("long", changed(claims -> claims.claim("filler", "x".repeat(10_000))));
        refused.put("cut", SERVICE.token().substring(0, SERVICE.token().length() - 5));
        refused.put("empty", "");
        refused.put("nonsense", "sk_live_abc");

        for (var token : refused.entrySet()) {
            HttpResponse<byte[]> answer = SERVICE.get(EVENTS, token.getValue());
            assertThat(answer.statusCode()).as(token.getKey()).isEqualTo(401);
            assertProblem(answer, 401, "invalid_token");
        }
        assertThat(SERVICE.get(EVENTS, SERVICE.issuer().typed(sound, "at+jwt")).statusCode())
                .isEqualTo(200);
    }

    @Test
    void a_token_is_refused_within_two_seconds_after_it_was_revoked_and_the_others_are_not() throws Exception {
        String token = SERVICE.issuer().token(UUID.randomUUID(), "auditor", "audit:read");
        String other = SERVICE.issuer().token(UUID.randomUUID(), "auditor", "audit:read");
        assertThat(SERVICE.get(EVENTS, token).statusCode()).isEqualTo(200);

        SERVICE.issuer().revoke(token);

        await().atMost(IN_FORCE).until(() -> SERVICE.get(EVENTS, token).statusCode() == 401);
        assertProblem(SERVICE.get(EVENTS, token), 401, "invalid_token");
        assertThat(SERVICE.get(EVENTS, other).statusCode()).isEqualTo(200);
    }

    @Test
    void a_role_that_was_lost_is_refused_within_two_seconds_whatever_the_token_says() throws Exception {
        String token = SERVICE.issuer().token(UUID.randomUUID(), "auditor", "audit:read");
        assertThat(SERVICE.get(EVENTS, token).statusCode()).isEqualTo(200);

        SERVICE.issuer().role(token, "viewer");

        await().atMost(IN_FORCE).until(() -> SERVICE.get(EVENTS, token).statusCode() == 403);
        assertProblem(SERVICE.get(EVENTS, token), 403, "role_missing");
    }

    @Test
    void while_the_api_is_silent_nobody_is_let_in_and_afterwards_everybody_is_again() throws Exception {
        String token = SERVICE.issuer().token(UUID.randomUUID(), "auditor", "audit:read");
        assertThat(SERVICE.get(EVENTS, token).statusCode()).isEqualTo(200);

        SERVICE.issuer().silent(true);
        try {
            await().atMost(IN_FORCE).until(() -> SERVICE.get(EVENTS, token).statusCode() == 503);
            HttpResponse<byte[]> refused = SERVICE.get(EVENTS, token);
            assertProblem(refused, 503, "service_unavailable");
            assertThat(refused.headers().firstValue("Retry-After")).isPresent();
            assertThat(SERVICE.get("/api/v1/audit/public-key", null).statusCode())
                    .isEqualTo(200);
        } finally {
            SERVICE.issuer().silent(false);
        }

        assertThat(SERVICE.get(EVENTS, token).statusCode()).isEqualTo(200);
    }

    @Test
    void the_api_is_asked_about_tokens_that_are_its_own_and_not_for_every_call() throws Exception {
        String token = SERVICE.issuer().token(UUID.randomUUID(), "auditor", "audit:read");
        JWTClaimsSet claims = SERVICE.issuer()
                .claims(UUID.randomUUID(), "auditor", "audit:read")
                .build();
        int before = SERVICE.issuer().questions();
        for (int i = 0; i < 10; i++) {
            assertProblem(SERVICE.get(EVENTS, SERVICE.issuer().forged(claims)), 401, "invalid_token");
        }
        assertThat(SERVICE.issuer().questions()).isEqualTo(before);

        long began = System.nanoTime();
        for (int i = 0; i < 30; i++) {
            assertThat(SERVICE.get("/api/v1/audit/checkpoint", token).statusCode())
                    .isEqualTo(200);
        }

        long seconds = (System.nanoTime() - began) / 1_000_000_000L;
        assertThat(SERVICE.issuer().questions() - before).isBetween(1, (int) seconds + 1);
    }

    @Test
    void reading_the_log_is_itself_in_the_log() throws Exception {
        UUID reader = Id.next(Kind.USER).uuid();
        String token = SERVICE.issuer().token(reader, "auditor", "audit:read");
        AuditEvent event = event(EventType.TASK_CREATED, "create");
        SERVICE.emit(event);
        await().until(() -> SERVICE.find(event.id()));

        SERVICE.get(EVENTS + "?result=success&limit=1", token);
        SERVICE.get(EVENTS + "/" + new Id(Kind.AUDIT_EVENT, event.id()) + "/proof", token);
        for (int i = 0; i < 3; i++) {
            SERVICE.get("/api/v1/audit/tile/entries/000.p/1", token);
            SERVICE.get("/api/v1/audit/tile/0/000.p/1", token);
        }

        String query = EVENTS + "?event_type=audit_read&actor=" + new Id(Kind.USER, reader) + "&sort=timestamp";
        await().until(() -> SERVICE.json(query).path("items").size() == 3);
        JsonNode items = SERVICE.json(query).path("items");
        assertThat(items.valueStream().map(item -> item.path("action").asString()))
                .containsExactly("list", "proof", "download");
        assertThat(items.get(0).path("filters").asString()).isEqualTo("result");
        assertThat(items.get(0).path("ip_address").asString()).isEqualTo("127.0.0.1");
        assertThat(items.get(0).path("request_id").asString()).startsWith("req_");
        assertThat(items.get(2).path("count").asLong()).isEqualTo(1);
    }

    @Test
    void a_refused_call_is_in_the_log_once_however_often_it_comes() throws Exception {
        UUID viewer = Id.next(Kind.USER).uuid();
        String token = SERVICE.issuer().token(viewer, "viewer", "audit:read");
        for (int i = 0; i < 5; i++) {
            SERVICE.get(EVENTS, token);
        }

        String query = EVENTS + "?event_type=authorization_failure&result=denied&actor=" + new Id(Kind.USER, viewer);
        await().until(() -> SERVICE.json(query).path("items").size() == 1);
    }

    @Test
    void every_answer_carries_the_security_headers() throws Exception {
        for (HttpResponse<byte[]> answer : List.of(
                SERVICE.get(EVENTS, SERVICE.token()),
                SERVICE.get(EVENTS, null),
                SERVICE.get("/nowhere", SERVICE.token()),
                SERVICE.get("/livez", null),
                SERVICE.get(EVENTS + "?limit=x", SERVICE.token()),
                SERVICE.send(HttpRequest.newBuilder().DELETE(), EVENTS, SERVICE.token()))) {
            var headers = answer.headers();
            assertThat(headers.firstValue("Content-Security-Policy").orElse("")).contains("default-src 'none'");
            assertThat(headers.firstValue("X-Frame-Options")).hasValue("DENY");
            assertThat(headers.firstValue("X-Content-Type-Options")).hasValue("nosniff");
            assertThat(headers.firstValue("Referrer-Policy")).hasValue("no-referrer");
            assertThat(headers.firstValue("Cache-Control")).hasValue("no-store");
            assertThat(headers.firstValue("X-Request-Id").orElse("")).startsWith("req_");
            assertThat(headers.firstValue("Server")).isEmpty();
        }
    }

    @Test
    void other_methods_are_405_and_head_answers_without_a_body() throws Exception {
        for (String path : List.of(EVENTS, "/api/v1/audit/checkpoint", "/api/v1/audit/public-key", "/livez")) {
            HttpResponse<byte[]> answer = SERVICE.send(
                    HttpRequest.newBuilder().POST(HttpRequest.BodyPublishers.ofString("{}")), path, SERVICE.token());
            assertProblem(answer, 405, "method_not_allowed");
            assertThat(answer.headers().firstValue("Allow")).hasValue("GET, HEAD");
        }
        HttpResponse<byte[]> head = SERVICE.send(
                HttpRequest.newBuilder().method("HEAD", HttpRequest.BodyPublishers.noBody()), EVENTS, SERVICE.token());
        assertThat(head.statusCode()).isEqualTo(200);
        assertThat(head.body()).isEmpty();
    }

    @Test
    void what_is_no_http_is_answered_as_a_problem_too() throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), SERVICE.port())) {
            socket.getOutputStream().write("GET /{broken HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(UTF_8));
            String answer = new String(socket.getInputStream().readNBytes(1_000), UTF_8);

            assertThat(answer).startsWith("HTTP/1.1 400").contains("\"code\":\"malformed_request\"");
            assertThat(answer).contains("X-Content-Type-Options: nosniff").doesNotContain("Server:");
        }
    }

    @Test
    void the_signing_key_is_the_owners_alone() throws IOException {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(SERVICE.keyFile())))
                .isEqualTo("rw-------");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "tile/0/x999/999",
                "tile/7/000",
                "tile/8/000",
                "tile/63/000",
                "tile/0/0",
                "tile/0/000.p/0",
                "tile/0/%30%30%30",
                "tile/0/000/",
                "tile/entries/x999/x999/x999/x999/x999/999",
                "events/aud_00000000000000000000000000/proof",
                "events/tsk_00000000000000000000000000/proof",
                "events/x/y/proof",
                "events/",
                "sinks",
                "checkpoint;v=1",
                "../audit/checkpoint/x"
            })
    void what_is_not_there_is_404_for_who_may_read_and_401_for_strangers(String path) throws Exception {
        assertProblem(SERVICE.get("/api/v1/audit/" + path, SERVICE.token()), 404, "not_found");
        assertProblem(SERVICE.get("/api/v1/audit/" + path, null), 401, "unauthenticated");
    }

    private interface Change {
        JWTClaimsSet.Builder to(JWTClaimsSet.Builder claims);
    }

    private static String changed(Change change) {
        return SERVICE.issuer()
                .signed(change.to(SERVICE.issuer().claims(SERVICE.auditor(), "auditor", "audit:read"))
                        .build());
    }
}
