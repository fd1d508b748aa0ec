package dev.vigil.api.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.api.Api;
import dev.vigil.api.vault.Place;
import dev.vigil.api.vault.TaskKeys;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.payload.LogChunk;
import dev.vigil.protocol.payload.LogLine;
import dev.vigil.protocol.payload.Purpose;
import dev.vigil.scheduler.execution.ExecutionView;
import dev.vigil.scheduler.execution.Executions;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Logs as clients read them. The chunks are sealed here as a worker seals them, and stored as a core stores them.
class LogTest {
    private final Api api = Api.shared();
    private final Api.Http client = api.client();
    private final Run run = new Run();

    /// An execution that waits for an hour, and what is stored of it.
    private final class Run {
        private final String task =
                client.post("/api/v1/tasks", """
                        {"name":"talks","handler":"demo.echo","schedule":{"type":"one_time","delay":"PT1H"},"payload":1}""").expect(201).path("id").asString();
        private final UUID id = Id.parse(Kind.TASK, task).orElseThrow().uuid();
        private final String execution = new Id(Kind.EXECUTION, id).toString();
        private final ExecutionView view =
                api.context().getBean(Executions.class).get(id).orElseThrow();
        private final Place place = new Place(view.taskId(), view.namespace(), view.payloadVersion(), view.handler());

        String path() {
            return "/api/v1/executions/" + execution + "/logs";
        }

        byte[] seal(Purpose purpose, byte[] plain) {
            return TaskKeys.of(api, place, view.keyId())
                    .seal(place.result(id, view.keyId()).withPurpose(purpose), plain);
        }

        void says(int seq, int line, String... texts) {
            List<LogLine> lines = Stream.of(texts)
                    .map(text -> new LogLine(
                            LogLine.Source.STDOUT, 1_700_000_000_000L, text.getBytes(StandardCharsets.UTF_8)))
                    .toList();
            store(seq, line, lines.size(), seal(Purpose.LOG, new LogChunk(7, line, lines).toBytes()));
        }

        void store(int seq, int line, int lines, byte[] sealed) {
            api.execute("""
                    INSERT INTO scheduler.log (namespace, execution, seq, line, lines, attempt, fence, sealed)
                    VALUES (1, '%s', %d, %d, %d, 1, 7, decode('%s', 'hex'))
                    """.formatted(id, seq, line, lines, HexFormat.of().formatHex(sealed)));
        }

        void ends() {
            api.execute("""
                    WITH e AS (DELETE FROM scheduler.execution WHERE id = '%s' RETURNING *)
                    INSERT INTO scheduler.history (namespace, version, id, task_id, owner, fence, scheduled_for,
                        started_at, payload_version, shard, state, attempt, losses, uploaded, key_id, handler)
                    SELECT e.namespace, 1, e.id, e.task_id, t.owner, 7, e.scheduled_for, now(), 1, e.shard, 1, 1, 0,
                           false, t.key_id, t.handler
                      FROM e JOIN scheduler.task t ON t.id = e.task_id
                    """.formatted(id));
        }
    }

    @Test
    void a_log_is_read_as_events_as_ndjson_and_as_text() {
        run.says(1, 1, "one <b>", "two\u2028");
        run.says(3, 3, "three");
        run.ends();

        String events = client.call("GET", run.path(), null, "Accept", "text/event-stream")
                .text();
        Api.Reply ndjson = client.call("GET", run.path(), null, "Accept", "application/x-ndjson");
        Api.Reply text = client.call("GET", run.path(), null, "Accept", "text/plain");

        assertThat(events)
                .startsWith(
                        "id: 1\ndata: {\"seq\":1,\"at\":\"2023-11-14T22:13:20Z\",\"attempt\":1,\"stream\":\"stdout\",")
                .contains("id: 2\n", "id: 3\n", "three")
                .endsWith("event: end\ndata: {\"state\":\"succeeded\"}\n\n");
        assertThat(ndjson.header("Content-Type")).isEqualTo("application/x-ndjson");
        assertThat(ndjson.text().lines())
                .hasSize(3)
                .last()
                .asString()
                .contains("\"seq\":3")
                .contains("\"text\":\"three\"");
        assertThat(text.header("Content-Type")).isEqualTo("text/plain;charset=utf-8");
        assertThat(text.text()).isEqualTo("one <b>\ntwo\u2028\nthree\n");
    }

    @Test
    void a_reader_resumes_after_the_last_line_it_has() {
        run.says(1, 1, "one", "two", "three");
        run.says(4, 4, "four");
        run.ends();

        assertThat(client.call("GET", run.path(), null, "Last-Event-ID", "2").text())
                .startsWith("id: 3\n")
                .contains("id: 4\n");
        assertThat(client.call("GET", run.path() + "?after=4", null, "Accept", "text/plain")
                        .text())
                .isEmpty();
        assertThat(client.call("GET", run.path(), null, "Last-Event-ID", "x").status())
                .isEqualTo(400);
        assertThat(client.get(run.path() + "?follow=perhaps").status()).isEqualTo(400);
    }

    @Test
    void lost_lines_and_lines_that_somebody_changed_or_moved_are_told_and_not_shown() {
        run.says(1, 1, "one");
        byte[] other = run.seal(
                Purpose.LOG,
                new LogChunk(7, 9, List.of(new LogLine(LogLine.Source.STDERR, 0, new byte[] {'x'}))).toBytes());
        run.store(5, 5, 1, other);
        byte[] changed = other.clone();
        changed[changed.length - 1]++;
        run.store(6, 6, 1, changed);
        run.ends();

        assertThat(client.call("GET", run.path(), null, "Accept", "text/plain").text())
                .isEqualTo("""
                        one
                        [3 lines were lost on the way]
                        [1 lines stood elsewhere before; not shown]
                        [1 lines do not open: they were changed outside of this system]
                        """);
        assertThat(client.call("GET", run.path(), null, "Last-Event-ID", "1").text())
                .contains("id: 4\n");
    }

    @Test
    void the_owner_admins_and_operators_read_and_that_is_on_record_others_do_not() {
        run.says(1, 1, "canary-in-a-log");
        run.ends();

        assertThat(client.get(run.path()).text()).contains("canary-in-a-log");
        assertThat(api.admin().get(run.path()).status()).isEqualTo(200);
        assertThat(api.user("operator").get(run.path()).text()).contains("canary-in-a-log");
        assertThat(api.events()).contains("view_logs");
        assertThat(api.user("viewer").get(run.path()).status()).isEqualTo(403);
        assertThat(api.user("executor").get(run.path()).status()).isEqualTo(403);
        assertThat(api.user("auditor").get(run.path()).status()).isEqualTo(403);
        assertThat(api.user("scheduler").get(run.path()).status())
                .as("a stranger")
                .isEqualTo(404);
        assertThat(api.query("SELECT count(*) FROM scheduler.log l WHERE l::text LIKE '%canary%'", Long.class))
                .isZero();
    }

    @Test
    void a_follower_gets_lines_as_they_come_and_the_end() throws Exception {
        run.says(1, 1, "early");
        var heard = new CopyOnWriteArrayList<String>();
        Thread reader = follow(client, heard);
        await().atMost(Duration.ofSeconds(10)).until(() -> heard.contains("id: 1"));
        assertThat(heard).doesNotContain("event: end");

        run.says(2, 2, "late");
        await().atMost(Duration.ofSeconds(10)).until(() -> heard.contains("id: 2"));
        run.says(3, 3, "last words");
        run.ends();

        assertThat(reader.join(Duration.ofSeconds(10))).isTrue();
        assertThat(heard).contains("id: 3", "event: end", "data: {\"state\":\"succeeded\"}");
    }

    @Test
    void a_follower_who_is_disabled_hears_nothing_more_within_two_seconds() throws Exception {
        Api.Http operator = api.user("operator");
        var heard = new CopyOnWriteArrayList<String>();
        run.says(1, 1, "early");
        Thread reader = follow(operator, heard);
        await().atMost(Duration.ofSeconds(10)).until(() -> heard.contains("id: 1"));

        String id = operator.get("/api/v1/me").expect(200).path("id").asString();
        api.admin().post("/api/v1/users/" + id + ":disable").expect(200);

        assertThat(reader.join(Duration.ofSeconds(5))).isTrue();
        assertThat(heard).doesNotContain("event: end");
    }

    @Test
    void progress_and_its_sentence_stand_in_the_execution_for_those_who_may_read_logs() {
        api.execute("INSERT INTO scheduler.progress (namespace, execution, fence, millionths, message)"
                + " VALUES (1, '%s', 7, 400000, decode('%s', 'hex'))"
                        .formatted(
                                run.id,
                                HexFormat.of()
                                        .formatHex(run.seal(
                                                Purpose.PROGRESS, "nearly half".getBytes(StandardCharsets.UTF_8)))));
        run.ends();
        String path = "/api/v1/executions/" + run.execution;

        assertThat(client.get(path).expect(200).path("progress").asDouble()).isEqualTo(0.4);
        assertThat(client.get(path).expect(200).path("message").asString()).isEqualTo("nearly half");
        assertThat(api.user("viewer").get(path).expect(200).path("progress").asDouble())
                .isEqualTo(0.4);
        assertThat(api.user("viewer").get(path).text()).doesNotContain("nearly half");
    }

    private Thread follow(Api.Http reader, List<String> heard) {
        return Thread.ofVirtual().start(() -> {
            try (InputStream in = reader.open(run.path() + "?follow=true");
                    var lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
                lines.lines().forEach(heard::add);
            } catch (java.io.IOException e) {
                heard.add("cut: " + e.getMessage());
            }
        });
    }
}
