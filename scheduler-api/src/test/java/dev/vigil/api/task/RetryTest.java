package dev.vigil.api.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.Api;
import dev.vigil.api.Api.Reply;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// Who may have an execution tried again or explained, and in which state; no core runs here.
class RetryTest {
    private final Api api = Api.shared();
    private final Api.Http owner = api.user("scheduler");
    private String task;
    private String execution;

    /// How an execution ended.
    private enum End {
        SUCCEEDED(1),
        FAILED(2),
        TIMED_OUT(3),
        CANCELLED(4),
        SKIPPED(5);

        private final int stored;

        End(int stored) {
            this.stored = stored;
        }
    }

    @BeforeEach
    void an_execution() {
        JsonNode made = owner.post("/api/v1/tasks", """
                {"name":"again","handler":"demo.echo","schedule":{"type":"one_time","delay":"PT1H"},"payload":1}""").expect(201);
        task = made.path("id").asString();
        execution = owner.get("/api/v1/executions?task_id=" + task)
                .expect(200)
                .path("items")
                .path(0)
                .path("id")
                .asString();
    }

    @Test
    void its_owner_has_what_failed_tried_again() {
        for (End end : List.of(End.FAILED, End.TIMED_OUT, End.CANCELLED)) {
            ends(end);
            assertThat(state(owner.get(path()))).isEqualTo(end.name().toLowerCase(Locale.ROOT));

            Reply tried = owner.post(path() + ":retry?dry_run=true");
            Reply retried = owner.post(path() + ":retry");

            assertThat(tried.expect(200).path("dry_run").asBoolean()).isTrue();
            assertThat(state(retried)).isEqualTo("waiting");
            assertThat(retried.status()).isEqualTo(202);
            assertThat(owner.post(path() + ":retry").code())
                    .as("it is open again")
                    .isEqualTo("conflict");
        }
        assertThat(api.events()).contains("\"action\":\"retry\"", execution);
    }

    @Test
    void all_that_failed_is_tried_again_page_by_page_and_each_refusal_is_told() {
        var failed = new ArrayList<String>();
        for (int i = 0; i < 5; i++) {
            an_execution();
            ends(End.FAILED);
            failed.add(execution);
        }
        String paused = failedOfASchedule();
        owner.post("/api/v1/tasks/" + task + ":pause").expect(200);
        an_execution();
        ends(End.SUCCEEDED);

        JsonNode tried = owner.post(all("state=failed&dry_run=true")).expect(200);
        JsonNode first = owner.post(all("state=failed&limit=4")).expect(200);
        JsonNode rest = owner.post(
                        all("state=failed&limit=4&after=" + first.path("next").asString()))
                .expect(200);

        var items = new ArrayList<JsonNode>();
        first.path("items").forEach(items::add);
        rest.path("items").forEach(items::add);
        assertThat(tried.path("items").size()).isEqualTo(6);
        assertThat(items).hasSize(6).allSatisfy(item -> {
            boolean isPaused = item.path("id").asString().equals(paused);
            assertThat(item.path("retried").asBoolean()).isEqualTo(!isPaused);
            assertThat(item.path("detail").asString("")).contains(isPaused ? "paused" : "");
        });
        assertThat(rest.path("next").isNull()).isTrue();
        assertThat(owner.get("/api/v1/executions?state=failed").expect(200).path("items"))
                .as("what is left")
                .hasSize(1);
        assertThat(failed)
                .allSatisfy(id -> assertThat(owner.get("/api/v1/executions/" + id)
                                .expect(200)
                                .path("state")
                                .asString())
                        .isEqualTo("waiting"));
        assertThat(api.events()).contains(failed.getLast());
    }

    @Test
    void a_trial_finds_what_the_attempt_would_be_refused_for() {
        String paused = failedOfASchedule();
        owner.post("/api/v1/tasks/" + task + ":pause").expect(200);

        assertThat(owner.post("/api/v1/executions/" + paused + ":retry?dry_run=true")
                        .status())
                .isEqualTo(409);
        owner.post("/api/v1/tasks/" + task + ":resume").expect(200);
        owner.post("/api/v1/executions/" + paused + ":retry?dry_run=true").expect(200);
        assertThat(state(owner.get("/api/v1/executions/" + paused)))
                .as("a trial changes nothing")
                .isEqualTo("failed");
    }

    @Test
    void a_stranger_tries_nothing_of_others_again_and_a_state_that_ended_badly_must_be_named() {
        ends(End.FAILED);

        assertThat(api.user("scheduler").post(all("state=failed")).expect(200).path("items"))
                .isEmpty();
        assertThat(api.user("viewer").post(all("state=failed")).status()).isEqualTo(403);
        assertThat(owner.post("/api/v1/executions:retry").code()).isEqualTo("validation_failed");
        assertThat(owner.post(all("state=succeeded")).code()).isEqualTo("validation_failed");
        assertThat(state(owner.get(path()))).isEqualTo("failed");
    }

    private static String all(String query) {
        return "/api/v1/executions:retry?" + query;
    }

    private String failedOfASchedule() {
        task = owner.post("/api/v1/tasks", """
                {"name":"again","handler":"demo.echo","schedule":{"type":"cron","cron":"0 0 1 1 *"},"payload":1}""").expect(201).path("id").asString();
        execution = owner.post("/api/v1/tasks/" + task + ":trigger")
                .expect(202)
                .path("execution_id")
                .asString();
        ends(End.FAILED);
        return execution;
    }

    @Test
    void what_succeeded_was_skipped_or_has_not_ended_is_409() {
        assertConflict("has not ended");
        for (End end : List.of(End.SUCCEEDED, End.SKIPPED)) {
            ends(end);
            assertConflict("succeeded or was skipped");
            reopen();
        }
    }

    @Test
    void of_a_paused_or_deleted_task_nothing_is_tried_again() {
        failedOfASchedule();
        owner.post("/api/v1/tasks/" + task + ":pause").expect(200);

        Reply paused = owner.post(path() + ":retry");
        owner.call("DELETE", "/api/v1/tasks/" + task, null, "If-Match", "*").expect(204);

        assertThat(paused.status()).isEqualTo(409);
        assertThat(paused.json().path("detail").asString()).contains("paused");
        assertThat(owner.post(path() + ":retry").status()).isIn(404, 409);
    }

    @Test
    void a_stranger_finds_nothing_and_a_viewer_reads_but_tries_nothing_again() {
        ends(End.FAILED);
        Api.Http stranger = api.user("scheduler");
        Api.Http viewer = api.user("viewer");

        assertThat(stranger.post(path() + ":retry").status()).isEqualTo(404);
        assertThat(stranger.get(path() + "/explain").status()).isEqualTo(404);
        assertThat(viewer.post(path() + ":retry").status()).isEqualTo(403);
        assertThat(viewer.post(path() + ":retry?dry_run=true").status()).isEqualTo(403);
        assertThat(viewer.get(path() + "/explain").status()).isEqualTo(200);
        assertThat(api.user("auditor").get(path() + "/explain").status()).isEqualTo(403);
        assertThat(api.user("operator").post(path() + ":retry").status()).isEqualTo(202);
    }

    @Test
    void an_ended_execution_is_explained_by_its_end_and_an_open_one_by_what_it_waits_for() {
        JsonNode open = owner.get(path() + "/explain").expect(200);
        ends(End.FAILED);
        JsonNode ended = owner.get(path() + "/explain").expect(200);

        assertThat(open.path("state").asString()).isEqualTo("queued");
        assertThat(open.path("reasons").size()).isPositive();
        assertThat(ended.path("state").asString()).isEqualTo("failed");
        assertThat(ended.path("reasons").path(0).path("code").asString()).isEqualTo("ended");
    }

    @Test
    void an_unknown_id_and_one_of_another_kind_are_404_in_the_path_and_the_latter_422_in_a_query() {
        String unknown = new Id(Kind.EXECUTION, UUID.randomUUID()).toString();

        for (String wrong : List.of(task, "exe_1", "x", unknown)) {
            assertThat(owner.post("/api/v1/executions/" + wrong + ":retry").status())
                    .as(wrong)
                    .isEqualTo(404);
            assertThat(owner.get("/api/v1/executions/" + wrong + "/explain").status())
                    .as(wrong)
                    .isEqualTo(404);
        }
        assertThat(owner.get("/api/v1/executions?task_id=" + execution).code()).isEqualTo("validation_failed");
    }

    private void assertConflict(String why) {
        for (String call : List.of(":retry", ":retry?dry_run=true")) {
            Reply refused = owner.post(path() + call);
            assertThat(refused.status()).isEqualTo(409);
            assertThat(refused.code()).isEqualTo("conflict");
            assertThat(refused.json().path("detail").asString()).contains(why);
        }
    }

    private String path() {
        return "/api/v1/executions/" + execution;
    }

    private static String state(Reply reply) {
        return reply.json().path("state").asString();
    }

    private UUID row() {
        return Id.parse(Kind.EXECUTION, execution).orElseThrow().uuid();
    }

    /// As its core would end it.
    private void ends(End end) {
        api.execute("""
                WITH e AS (DELETE FROM scheduler.execution WHERE id = '%s' RETURNING *)
                INSERT INTO scheduler.history (namespace, version, id, task_id, owner, fence, scheduled_for,
                    started_at, payload_version, shard, state, attempt, losses, uploaded, key_id, handler)
                SELECT e.namespace, 1, e.id, e.task_id, t.owner, 7, e.scheduled_for, now(), 1, e.shard, %d, 1, 0,
                       false, t.key_id, t.handler
                  FROM e JOIN scheduler.task t ON t.id = e.task_id
                """.formatted(row(), end.stored));
    }

    /// Back to how it was, so that it can end another way.
    private void reopen() {
        api.execute("UPDATE scheduler.history SET state = 2 WHERE id = '%s'".formatted(row()));
        owner.post(path() + ":retry").expect(202);
    }
}
