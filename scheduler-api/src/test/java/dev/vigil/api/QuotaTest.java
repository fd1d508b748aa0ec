package dev.vigil.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class QuotaTest {
    private static final int LIMIT = 77;
    private static final int AT_ONCE = 200;
    private static final String TASK =
            "{\"name\":\"one of many\",\"handler\":\"demo.echo\",\"schedule\":{\"type\":\"one_time\",\"delay\":\"PT1H\"},\"payload\":1}";

    private final Api api = Api.shared();

    @Test
    void a_create_behind_a_deletion_waits_until_the_core_has_given_its_room_back() throws Exception {
        String id = api.admin()
                .post(
                        "/api/v1/users",
                        "{\"username\":\"one-at-most\",\"password\":\"%s\",\"role\":\"scheduler\",\"permissions\":{\"max_tasks\":1}}"
                                .formatted(Api.ADMIN_PASSWORD))
                .expect(201)
                .path("id")
                .asString();
        Api.Http bounded = api.login("one-at-most", Api.ADMIN_PASSWORD);
        String first =
                bounded.post("/api/v1/tasks", TASK).expect(201).path("id").asString();
        assertThat(bounded.post("/api/v1/tasks", TASK).code()).isEqualTo("quota_exceeded");
        assertThat(bounded.call("DELETE", "/api/v1/tasks/" + first, null, "If-Match", "*")
                        .status())
                .isEqualTo(204);
        assertThat(bounded.get("/api/v1/me")
                        .expect(200)
                        .path("usage")
                        .path("tasks")
                        .asInt())
                .isZero();

        try (ExecutorService client = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Api.Reply> second = client.submit(() -> bounded.post("/api/v1/tasks", TASK));
            // What a core does with a deletion; there is none here.
            api.execute("""
                    WITH i AS (DELETE FROM scheduler.inbox WHERE ref = '%1$s' RETURNING ref),
                         e AS (DELETE FROM scheduler.execution WHERE id = '%1$s')
                    INSERT INTO scheduler.quota_freed (namespace, owner, n) SELECT 1, '%2$s', 1 FROM i
                    """.formatted(uuid(Kind.TASK, first), uuid(Kind.USER, id)));

            assertThat(second.get().status()).isEqualTo(201);
        }
    }

    private static UUID uuid(Kind kind, String id) {
        return Id.parse(kind, id).orElseThrow().uuid();
    }

    @Test
    void of_two_hundred_creates_at_once_exactly_as_many_as_the_quota_allows_are_accepted() throws Exception {
        api.admin()
                .post(
                        "/api/v1/users",
                        "{\"username\":\"two-hundred-at-once\",\"password\":\"%s\",\"role\":\"scheduler\",\"permissions\":{\"max_tasks\":%d}}"
                                .formatted(Api.ADMIN_PASSWORD, LIMIT))
                .expect(201);
        Api.Http bounded = api.unhurried(api.login("two-hundred-at-once", Api.ADMIN_PASSWORD));
        var start = new CyclicBarrier(AT_ONCE);
        List<Callable<Api.Reply>> creates = IntStream.range(0, AT_ONCE)
                .<Callable<Api.Reply>>mapToObj(_ -> () -> {
                    start.await();
                    return bounded.post("/api/v1/tasks", TASK);
                })
                .toList();

        List<Api.Reply> replies;
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            replies = clients.invokeAll(creates).stream().map(Future::resultNow).toList();
        }

        var byStatus = replies.stream().collect(Collectors.groupingBy(Api.Reply::status, Collectors.counting()));
        assertThat(byStatus).containsEntry(201, (long) LIMIT).containsEntry(429, (long) AT_ONCE - LIMIT);
        assertThat(replies.stream().filter(reply -> reply.status() == 429))
                .allMatch(reply -> reply.code().equals("quota_exceeded"));
        JsonNode me = bounded.get("/api/v1/me").expect(200);
        assertThat(me.path("usage").path("tasks").asInt()).isEqualTo(LIMIT);
        assertThat(bounded.post("/api/v1/tasks", TASK).status()).isEqualTo(429);
    }
}
