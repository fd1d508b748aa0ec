package dev.vigil.api.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.Api;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class BulkTest {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private final Api api = Api.shared();
    private final Api.Http owner = api.user("scheduler");
    private final String tag = UUID.randomUUID().toString();

    @Test
    void each_line_succeeds_or_fails_by_itself_and_is_answered_in_order() throws Exception {
        String body = String.join(
                "\n",
                task("a"),
                "{\"name\":\"half",
                task("b").replace("demo.echo", "demo.ecko"),
                task("c").replace("PT1H", "soon"),
                "",
                task("d"));

        HttpResponse<String> reply = bulk(owner, body, "");

        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
        assertThat(reply.headers().firstValue("Content-Type")).hasValue("application/x-ndjson");
        List<JsonNode> lines = lines(reply);
        assertThat(lines).hasSize(6);
        assertThat(owner.get("/api/v1/tasks/" + lines.get(0).path("id").asString())
                        .expect(200)
                        .path("name")
                        .asString())
                .isEqualTo("a-" + tag);
        assertThat(lines.get(1).path("code").asString()).isEqualTo("malformed_request");
        assertThat(lines.get(2).path("errors").path(0).path("pointer").asString())
                .isEqualTo("/handler");
        assertThat(lines.get(2).path("errors").path(0).path("hint").asString()).isEqualTo("did you mean demo.echo?");
        assertThat(lines.get(3).path("errors").path(0).path("pointer").asString())
                .isEqualTo("/schedule/delay");
        assertThat(lines.get(3).path("status").asInt()).isEqualTo(422);
        assertThat(lines.get(4).path("code").asString()).isEqualTo("malformed_request");
        assertThat(lines.get(5).path("id").asString()).startsWith("tsk_");
        assertThat(stored()).isEqualTo(2);
        assertThat(api.events()).contains(lines.get(5).path("id").asString());
    }

    @Test
    void one_key_holds_for_all_lines_and_the_same_call_is_replayed() throws Exception {
        String body =
                IntStream.range(0, 1203).mapToObj(i -> task("n" + i)).collect(Collectors.joining("\n")) + "\n{}\n";

        HttpResponse<String> first = bulk(owner, body, tag);
        HttpResponse<String> second = bulk(owner, body, tag);

        assertThat(lines(first)).hasSize(1204);
        assertThat(second.body()).isEqualTo(first.body());
        assertThat(first.headers().firstValue("Idempotent-Replayed")).isEmpty();
        assertThat(second.headers().firstValue("Idempotent-Replayed")).hasValue("true");
        assertThat(stored()).isEqualTo(1203);
        List<String> ids = lines(first).stream()
                .limit(1203)
                .map(line -> line.path("id").asString())
                .toList();
        assertThat(ids).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void another_body_under_the_same_key_is_422_and_stores_nothing() throws Exception {
        String body = IntStream.range(0, 700).mapToObj(i -> task("n" + i)).collect(Collectors.joining("\n"));
        bulk(owner, body, tag);

        for (String other : List.of(body + "\n" + task("more"), body.substring(0, body.lastIndexOf('\n')), task("x"))) {
            HttpResponse<String> reply = bulk(owner, other, tag);

            assertThat(reply.statusCode()).isEqualTo(422);
            assertThat(reply.body()).contains("idempotency_key_reused");
        }
        assertThat(stored()).isEqualTo(700);
    }

    @Test
    void a_bulk_that_was_cut_off_goes_on_where_it_was() throws Exception {
        String body = IntStream.range(0, 1100).mapToObj(i -> task("n" + i)).collect(Collectors.joining("\n"));
        String whole = bulk(owner, body, tag).body();
        // As if the node had died after it stored the second part, before it noted that.
        api.execute("UPDATE access.idempotency SET answer = NULL, busy_until = clock_timestamp()");
        api.execute("DELETE FROM access.idempotency_part WHERE part > 0");

        HttpResponse<String> again = bulk(owner, body, tag);

        assertThat(again.statusCode()).isEqualTo(200);
        assertThat(again.body()).isEqualTo(whole);
        assertThat(stored()).isEqualTo(1100);
    }

    @Test
    void without_its_event_no_line_is_stored_and_the_same_call_stores_them_later() throws Exception {
        String body = IntStream.range(0, 600).mapToObj(i -> task("n" + i)).collect(Collectors.joining("\n")) + "\n{}\n";
        HttpResponse<String> refused;
        api.execute("REVOKE INSERT ON scheduler.outbox FROM vigil_api");
        try {
            refused = bulk(owner, body, tag);
        } finally {
            api.execute("GRANT INSERT ON scheduler.outbox TO vigil_api");
        }
        long storedBefore = stored();

        HttpResponse<String> again = bulk(owner, body, tag);

        List<JsonNode> lines = lines(refused);
        assertThat(lines.subList(0, 600)).allSatisfy(line -> {
            assertThat(line.path("status").asInt()).isEqualTo(503);
            assertThat(line.path("code").asString()).isEqualTo("audit_unavailable");
        });
        assertThat(lines.get(600).path("status").asInt()).isEqualTo(422);
        assertThat(storedBefore).isZero();
        assertThat(again.headers().firstValue("Idempotent-Replayed")).isEmpty();
        assertThat(lines(again).subList(0, 600)).allMatch(line -> line.has("id"));
        assertThat(stored()).isEqualTo(600);
        assertThat(bulk(owner, body, tag).body()).isEqualTo(again.body());
    }

    @Test
    void a_quota_is_exact_within_a_bulk() throws Exception {
        JsonNode made = api.admin()
                .post(
                        "/api/v1/service-accounts",
                        "{\"name\":\"bulk-%s\",\"role\":\"scheduler\",\"permissions\":{\"max_tasks\":7}}"
                                .formatted(tag))
                .expect(201);
        Api.Http bounded = api.bearer(api.token(
                        made.path("client_id").asString(),
                        made.path("client_secret").asString(),
                        "")
                .expect(200)
                .path("access_token")
                .asString());
        String body = IntStream.range(0, 20).mapToObj(i -> task("n" + i)).collect(Collectors.joining("\n"));

        List<JsonNode> lines = lines(bulk(bounded, body, ""));

        assertThat(lines.stream().filter(line -> line.has("id"))).hasSize(7);
        assertThat(lines.stream().filter(line -> line.path("code").asString("").equals("quota_exceeded")))
                .hasSize(13);
        assertThat(stored()).isEqualTo(7);
    }

    @Test
    void a_dry_run_checks_each_line_and_stores_none() throws Exception {
        HttpResponse<String> reply = send(owner, "/api/v1/tasks:bulk?dry_run=true", task("a") + "\n{}", "");

        List<JsonNode> lines = lines(reply);
        assertThat(lines.get(0).path("dry_run").asBoolean()).isTrue();
        assertThat(lines.get(1).path("code").asString()).isEqualTo("validation_failed");
        assertThat(stored()).isZero();
    }

    @Test
    void another_media_type_is_415_and_an_empty_body_has_no_lines() throws Exception {
        assertThat(owner.post("/api/v1/tasks:bulk", task("a")).status()).isEqualTo(415);
        HttpResponse<String> empty = bulk(owner, "", "");
        assertThat(empty.statusCode()).isEqualTo(200);
        assertThat(empty.body()).isEmpty();
    }

    private HttpResponse<String> bulk(Api.Http client, String body, String key)
            throws IOException, InterruptedException {
        return send(client, "/api/v1/tasks:bulk", body, key);
    }

    private HttpResponse<String> send(Api.Http client, String path, String body, String key)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(api.url() + path))
                .header("Authorization", "Bearer " + client.token())
                .header("Content-Type", "application/x-ndjson")
                .POST(HttpRequest.BodyPublishers.ofString(body));
        if (!key.isEmpty()) {
            request.header("Idempotency-Key", key);
        }
        return HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static List<JsonNode> lines(HttpResponse<String> reply) {
        var lines = new ArrayList<JsonNode>();
        reply.body().lines().forEach(line -> lines.add(JSON.readTree(line)));
        return lines;
    }

    private String task(String name) {
        return "{\"name\":\"%s-%s\",\"handler\":\"demo.echo\",\"schedule\":{\"type\":\"one_time\",\"delay\":\"PT1H\"},\"payload\":{\"n\":1}}"
                .formatted(name, tag);
    }

    private long stored() {
        return api.query("SELECT count(*) FROM scheduler.task WHERE name LIKE '%-" + tag + "'", Long.class);
    }
}
