package dev.vigil.api.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.Api;
import dev.vigil.api.Api.Reply;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// `after`: what a task waits for. What its owner does with it is tested with the engine.
class AfterTest {
    private static final String ONCE = "{\"type\":\"one_time\",\"delay\":\"PT1H\"}";

    private final Api api = Api.shared();
    private final Api.Http owner = api.user("scheduler");

    @Test
    void a_task_names_what_it_comes_after_waits_and_says_why() {
        String first = id(create(ONCE, ""));
        String execution = first.replace("tsk_", "exe_");

        JsonNode second = create(ONCE, ",\"after\":[\"" + first + "\",\"" + execution + "\"]")
                .expect(201);

        assertThat(second.path("after")).hasSize(1);
        assertThat(second.path("after").get(0).asString()).isEqualTo(execution);
        String waiting = "/api/v1/executions/" + second.path("id").asString().replace("tsk_", "exe_");
        assertThat(owner.get(waiting).expect(200).path("state").asString()).isEqualTo("waiting");
        JsonNode reasons = owner.get(waiting + "/explain").expect(200).path("reasons");
        assertThat(reasons.get(0).path("code").asString()).isEqualTo("dependency");
        assertThat(reasons.get(0).path("detail").asString()).contains(execution);
    }

    @Test
    void what_is_not_there_and_what_is_somebody_elses_are_refused_alike() {
        String stranger = id(create(api.user("scheduler"), ONCE, ""));
        String absent = "exe_" + stranger.substring(4, 20) + "0000000000";

        Reply strange = create(ONCE, ",\"after\":[\"" + stranger + "\"]");
        Reply unknown = create(ONCE, ",\"after\":[\"" + absent + "\"]");

        for (Reply reply : new Reply[] {strange, unknown}) {
            JsonNode error = reply.expect(422).path("errors").get(0);
            assertThat(error.path("pointer").asString()).isEqualTo("/after/0");
            assertThat(error.path("code").asString()).isEqualTo("unknown");
        }
        assertThat(create(ONCE, ",\"after\":[\"wrk_x\"]")
                        .expect(422)
                        .path("errors")
                        .get(0)
                        .path("pointer")
                        .asString())
                .isEqualTo("/after");
    }

    @Test
    void a_schedule_neither_comes_after_nor_stands_for_one_execution() {
        String recurring = id(create("{\"type\":\"interval\",\"every\":\"PT1H\"}", ""));
        String once = id(create(ONCE, ""));

        assertThat(create(ONCE, ",\"after\":[\"" + recurring + "\"]").status()).isEqualTo(422);
        assertThat(create("{\"type\":\"interval\",\"every\":\"PT1H\"}", ",\"after\":[\"" + once + "\"]")
                        .expect(422)
                        .path("errors")
                        .get(0)
                        .path("code")
                        .asString())
                .isEqualTo("one_time_only");
    }

    @Test
    void it_never_changes_so_there_are_no_cycles_and_a_patch_of_something_else_keeps_it() {
        String first = id(create(ONCE, ""));
        String second = id(create(ONCE, ",\"after\":[\"" + first + "\"]"));

        Reply cycle = patch(first, "{\"after\":[\"" + second + "\"]}");
        JsonNode patched = patch(second, "{\"priority\":\"high\"}").expect(200);

        assertThat(cycle.expect(422).path("errors").get(0).path("code").asString())
                .isEqualTo("immutable");
        assertThat(patched.path("after")).hasSize(1);
        assertThat(owner.get("/api/v1/tasks/" + second).json()).isEqualTo(patched);
    }

    @Test
    void a_dry_run_makes_the_same_checks_and_stores_nothing() {
        String first = id(create(ONCE, ""));
        String body = body(ONCE, ",\"after\":[\"" + first + "\"]");

        assertThat(owner.post("/api/v1/tasks?dry_run=true", body).expect(200).path("after"))
                .hasSize(1);
        assertThat(owner.post("/api/v1/tasks?dry_run=true", body.replace(first, "tsk_" + "0".repeat(26)))
                        .status())
                .isEqualTo(422);
        assertThat(owner.get("/api/v1/executions?limit=200").expect(200).path("items"))
                .hasSize(1);
    }

    private Reply patch(String id, String body) {
        return owner.call("PATCH", "/api/v1/tasks/" + id, body, "If-Match", "*");
    }

    private Reply create(String schedule, String more) {
        return create(owner, schedule, more);
    }

    private static Reply create(Api.Http who, String schedule, String more) {
        return who.post("/api/v1/tasks", body(schedule, more));
    }

    private static String body(String schedule, String more) {
        return "{\"name\":\"t-%s\",\"handler\":\"demo.echo\",\"schedule\":%s,\"payload\":1%s}"
                .formatted(UUID.randomUUID(), schedule, more);
    }

    private static String id(Reply reply) {
        return reply.expect(201).path("id").asString();
    }
}
