package dev.vigil.api.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.Api;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.util.Arrays;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Whoever may write to the database can move sealed payloads about; none of them opens where it does not belong, and
/// each attempt is an event.
class PayloadSwapTest {
    private final Api api = Api.shared();
    private final Api.Http owner = api.user("scheduler");

    @Test
    void the_payloads_of_two_tasks_that_were_swapped_open_for_neither_and_open_again_when_put_back() {
        String mine = create("of mine");
        String other = create("of the other");
        assertThat(read(mine).expect(200).path("payload").path("text").asString())
                .isEqualTo("of mine");

        swap(mine, other);

        for (String task : new String[] {mine, other}) {
            Api.Reply reply = read(task);
            assertThat(reply.status()).isEqualTo(500);
            assertThat(reply.text()).doesNotContain("of mine", "of the other");
            assertThat(failures(task, "seal_broken")).isOne();
        }
        swap(mine, other);
        assertThat(read(mine).expect(200).path("payload").path("text").asString())
                .isEqualTo("of mine");
        assertThat(failures(mine, "seal_broken")).isOne();
    }

    @ParameterizedTest
    @CsvSource({
        "payload_version = payload_version + 1, seal_broken",
        "handler = 'demo.other', seal_broken",
        "key_id = gen_random_uuid(), unknown_key",
        "namespace = (SELECT max(id) FROM access.namespace), unknown_key"
    })
    void a_payload_under_another_version_handler_key_or_namespace_stays_shut(String change, String reason) {
        String task = create("canary");
        String untouched = create("canary");
        api.admin()
                .post("/api/v1/namespaces", "{\"name\":\"swap-%s\"}".formatted(UUID.randomUUID()))
                .expect(201);

        api.execute("UPDATE scheduler.task SET " + change + where(task));

        Api.Reply reply = change.startsWith("namespace") ? read(api.admin(), task) : read(task);
        assertThat(reply.status()).as(reply.text()).isEqualTo(500);
        assertThat(reply.text()).doesNotContain("canary");
        assertThat(failures(task, reason)).isOne();
        assertThat(read(untouched).status()).isEqualTo(200);
        assertThat(failures(untouched, reason)).isZero();
    }

    private void swap(String one, String another) {
        api.execute("""
                UPDATE scheduler.task t SET payload = o.payload, key_id = o.key_id FROM scheduler.task o
                 WHERE t.id IN ('%1$s', '%2$s') AND o.id IN ('%1$s', '%2$s') AND t.id <> o.id
                """.formatted(uuid(one), uuid(another)));
    }

    private Api.Reply read(String task) {
        return read(owner, task);
    }

    private static Api.Reply read(Api.Http reader, String task) {
        return reader.get("/api/v1/tasks/" + task + "?include=payload");
    }

    private String create(String text) {
        return owner.post("/api/v1/tasks", """
                        {"name":"swap","handler":"demo.echo","schedule":{"type":"one_time","delay":"PT1H"},
                         "payload":{"text":"%s"}}""".formatted(text))
                .expect(201)
                .path("id")
                .asString();
    }

    private long failures(String task, String reason) {
        return api.events()
                .lines()
                .flatMap(line -> Arrays.stream(line.split("(?=\\{\"action\":)")))
                .filter(event -> event.contains(task)
                        && event.contains("\"event_type\":\"payload_viewed\"")
                        && event.contains("\"result\":\"failure\"")
                        && event.contains("\"reason\":\"" + reason + "\""))
                .count();
    }

    private static String where(String task) {
        return " WHERE id = '" + uuid(task) + "'";
    }

    private static UUID uuid(String task) {
        return Id.parse(Kind.TASK, task).orElseThrow().uuid();
    }
}
