package dev.vigil.api.vault;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.Api;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.id.UuidV7;
import dev.vigil.protocol.payload.EncryptedField;
import dev.vigil.protocol.payload.TaskKey;
import dev.vigil.scheduler.task.CreateResult;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.Limits;
import dev.vigil.scheduler.task.Misfire;
import dev.vigil.scheduler.task.NewTask;
import dev.vigil.scheduler.task.Overlap;
import dev.vigil.scheduler.task.Priority;
import dev.vigil.scheduler.task.RetryPolicy;
import dev.vigil.scheduler.task.Schedule;
import dev.vigil.scheduler.task.TaskDraft;
import dev.vigil.scheduler.task.Tasks;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.PlatformTransactionManager;
import tools.jackson.databind.JsonNode;

/// What a worker gets for what it holds. The core is played by SQL: it writes the dispatch rows.
class MaterialsTest {
    private static final Api API = Api.start(Map.of("vigil.bootstrap.approved-handlers", "demo.echo,demo.secret"));
    private static final byte[] PAYLOAD = "{\"hello\":\"world\"}".getBytes(StandardCharsets.UTF_8);
    private static final long EPOCH = 3;
    private static long dispatches = 100;

    private final Api.Http admin = API.admin();
    private final PayloadSealer sealer = API.context().getBean(PayloadSealer.class);
    private final Tasks tasks = new Tasks(
            API.context().getBean(JdbcClient.class),
            API.context().getBean(PlatformTransactionManager.class),
            Clock.systemUTC(),
            _ -> {});
    private final UUID boot = UUID.randomUUID();
    private TestWorker worker;
    private UUID workerId;

    @AfterAll
    static void stop() {
        API.close();
    }

    @BeforeEach
    void a_worker() {
        KeyPair key = Authority.newKeyPair();
        String token = admin.post("/api/v1/workers/join-tokens", "{\"group\":\"batch\"}")
                .expect(201)
                .path("token")
                .asString();
        Api.Reply admitted = TestWorker.stranger(API).enrol(token, key);
        worker = TestWorker.of(API, key, admitted);
        workerId = Id.parse(Kind.WORKER, admitted.json().path("worker_id").asString())
                .orElseThrow()
                .uuid();
    }

    @Test
    void the_holder_of_a_dispatch_gets_the_key_that_opens_its_payload_and_it_is_an_event() throws Exception {
        Task task = task("demo.echo", null);
        long fence = dispatch(task, workerId, boot);

        JsonNode material = materials(task, fence).path(0);

        TaskKey key =
                TaskKey.of(Base64.getDecoder().decode(material.path("task_key").asString()));
        byte[] payload = worker.exchange("GET", path("payloads", task, fence), new byte[0])
                .body();
        UUID keyId = UUID.fromString(material.path("key_id").asString());
        assertThat(key.open(task.place().payload(keyId), payload)).isEqualTo(PAYLOAD);
        assertThat(Outboxes.events(API.database()))
                .filteredOn(event -> event.contains("\"action\":\"task_keys\"") && event.contains(task.publicId()))
                .singleElement()
                .asString()
                .contains("\"result\":\"success\"", "secret_resolved")
                .doesNotContain(material.path("task_key").asString());
    }

    @Test
    void another_worker_another_boot_and_another_fence_get_nothing_and_it_is_an_event() {
        Task others = task("demo.echo", null);
        Task otherBoot = task("demo.echo", null);
        Task otherFence = task("demo.echo", null);
        long othersFence = dispatch(others, UUID.randomUUID(), boot);
        long otherBootFence = dispatch(otherBoot, workerId, UUID.randomUUID());
        long fence = dispatch(otherFence, workerId, boot);

        assertThat(refusal(others, othersFence)).isEqualTo("not_yours");
        assertThat(refusal(otherBoot, otherBootFence)).isEqualTo("not_yours");
        assertThat(refusal(otherFence, fence + 1)).isEqualTo("not_yours");
        assertThat(worker.exchange("GET", path("payloads", others, othersFence), new byte[0])
                        .statusCode())
                .isEqualTo(403);
        assertThat(worker.exchange("PUT", path("results", others, othersFence), new byte[100])
                        .statusCode())
                .isEqualTo(403);
        assertThat(Outboxes.events(API.database()))
                .filteredOn(event -> event.contains("\"result\":\"denied\"") && event.contains(others.publicId()))
                .hasSize(3);
    }

    @Test
    void a_fence_below_the_executions_least_is_stale_and_an_ended_execution_closed() {
        Task stale = task("demo.echo", null);
        long staleFence = dispatch(stale, workerId, boot);
        Meddler.run(API.database(), "UPDATE scheduler.execution SET fence_min = " + (staleFence + 1) + where(stale));
        Task closed = task("demo.echo", null);
        long closedFence = dispatch(closed, workerId, boot);
        Meddler.run(API.database(), "DELETE FROM scheduler.execution" + where(closed));

        assertThat(refusal(stale, staleFence)).isEqualTo("stale");
        assertThat(refusal(closed, closedFence)).isEqualTo("closed");
    }

    @Test
    void a_handler_that_is_not_approved_or_not_for_this_group_gets_nothing() {
        Task unknown = task("no.such", null);
        Task notHere = task("gpu.train", null);
        admin.post("/api/v1/handlers", "{\"name\":\"gpu.train\",\"worker_groups\":[\"gpu\"]}")
                .expect(201);
        API.context().getBean(Handlers.class).approve("gpu.train", UUID.randomUUID());

        assertThat(refusal(unknown, dispatch(unknown, workerId, boot))).isEqualTo("not_allowed");
        assertThat(refusal(notHere, dispatch(notHere, workerId, boot))).isEqualTo("not_allowed");
    }

    @Test
    void a_subject_that_was_erased_has_no_key_left() {
        Task task = task("demo.echo", "customer-4711");
        long fence = dispatch(task, workerId, boot);
        byte[] index = API.context().getBean(SubjectIndex.class).of(1, "customer-4711");

        API.context().getBean(DataKeys.class).destroy(1, index);

        assertThat(refusal(task, fence)).isEqualTo("erased");
    }

    @Test
    void a_blocked_worker_gets_nothing() {
        Task task = task("demo.echo", null);
        long fence = dispatch(task, workerId, boot);
        admin.post("/api/v1/workers/" + new Id(Kind.WORKER, workerId) + ":block")
                .expect(200);

        assertThat(worker.post("/worker/v1/materials", request(task, fence)).code())
                .isEqualTo("certificate_refused");
    }

    @Test
    void a_sealed_result_of_a_mebibyte_is_stored_and_a_larger_one_refused() {
        Task task = task("demo.echo", null);
        long fence = dispatch(task, workerId, boot);
        byte[] most = new byte[MaterialRoutes.RESULT_BYTES_MAX];
        Arrays.fill(most, (byte) 7);

        assertThat(worker.exchange("PUT", path("results", task, fence), most).statusCode())
                .isEqualTo(204);
        assertThat(worker.exchange("PUT", path("results", task, fence), most).statusCode())
                .as("the same again, after a lost reply")
                .isEqualTo(204);
        assertThat(API.context()
                        .getBean(JdbcClient.class)
                        .sql("SELECT sealed FROM scheduler.result WHERE execution = :id")
                        .param("id", task.id())
                        .query(byte[].class)
                        .single())
                .isEqualTo(most);
        assertThat(worker.exchange("PUT", path("results", task, fence), new byte[most.length + 1])
                        .statusCode())
                .isEqualTo(413);
        assertThat(worker.exchange("PUT", path("results", task, fence), new byte[3])
                        .statusCode())
                .isEqualTo(400);
    }

    @Test
    void many_executions_are_answered_in_one_call_and_too_many_refused() {
        List<Task> several =
                IntStream.range(0, 40).mapToObj(_ -> task("demo.echo", null)).toList();
        String items = several.stream()
                .map(task -> item(task, dispatch(task, workerId, boot)))
                .collect(Collectors.joining(","));
        String tooMany = IntStream.range(0, 513)
                .mapToObj(_ -> item(several.getFirst(), 1))
                .collect(Collectors.joining(","));

        JsonNode answers =
                worker.post("/worker/v1/materials", body(items)).expect(200).path("materials");

        assertThat(answers.valueStream().filter(answer -> answer.has("task_key")))
                .hasSize(40);
        assertThat(worker.post("/worker/v1/materials", body(tooMany)).status()).isEqualTo(422);
        assertThat(worker.post("/worker/v1/materials", "{\"boot\":\"x\",\"executions\":[]}")
                        .status())
                .isEqualTo(422);
    }

    @Test
    void what_a_payload_names_is_handed_to_the_holder_alone_and_each_is_an_event() throws Exception {
        admin.put("/api/v1/secrets/smtp-password", "{\"value\":\"canary-s3cret\"}")
                .expect(201);
        String token = admin.post(
                        "/api/v1/pii-tokens",
                        "{\"kind\":\"email\",\"value\":\"canary@example.org\",\"subject\":\"customer-77\"}")
                .expect(201)
                .path("token")
                .asString();
        String encrypted = admin.post("/api/v1/fields:encrypt", "{\"value\":\"DE89\",\"handler\":\"demo.secret\"}")
                .expect(200)
                .path("encrypted")
                .asString();
        Task task = task("demo.secret", null, """
                {"ref":"secret://smtp-password","to":["%s"],"iban":"%s"}""".formatted(token, encrypted).getBytes(StandardCharsets.UTF_8));
        Task others =
                task("demo.secret", null, "{\"ref\":\"secret://smtp-password\"}".getBytes(StandardCharsets.UTF_8));
        long fence = dispatch(task, workerId, boot);
        long othersFence = dispatch(others, UUID.randomUUID(), boot);

        JsonNode material = materials(task, fence).path(0);

        assertThat(material.path("secrets").path("smtp-password").asString()).isEqualTo("canary-s3cret");
        assertThat(material.path("tokens").path(token).asString()).isEqualTo("canary@example.org");
        EncryptedField field = EncryptedField.parse(encrypted).orElseThrow();
        TaskKey key = TaskKey.of(Base64.getDecoder()
                .decode(material.path("field_keys").path(field.id().toString()).asString()));
        assertThat(new String(key.open(field.place(1), field.record()), StandardCharsets.UTF_8))
                .isEqualTo("DE89");
        assertThat(materials(others, othersFence).path(0).path("refused").asString())
                .isEqualTo("not_yours");
        assertThat(Outboxes.events(API.database()))
                .filteredOn(event -> event.contains("\"action\":\"resolve\"") && event.contains(task.publicId()))
                .hasSize(3)
                .anyMatch(event -> event.contains("secret_resolved") && event.contains("secret://smtp-password"))
                .anyMatch(event -> event.contains("token_resolved") && event.contains(token));
        assertThat(Outboxes.events(API.database()))
                .noneMatch(event -> event.contains("canary-s3cret") || event.contains("canary@example.org"));
    }

    @Test
    void a_secret_that_is_gone_or_not_for_the_handler_any_more_leaves_the_execution_without_anything() {
        admin.put("/api/v1/secrets/short-lived", "{\"value\":\"x\"}").expect(201);
        Task task = task("demo.secret", null, "[\"secret://short-lived\"]".getBytes(StandardCharsets.UTF_8));
        long fence = dispatch(task, workerId, boot);
        assertThat(materials(task, fence).path(0).has("task_key")).isTrue();

        assertThat(admin.delete("/api/v1/secrets/short-lived").status()).isEqualTo(204);

        assertThat(refusal(task, fence)).isEqualTo("reference_unresolved");
        assertThat(Outboxes.events(API.database()))
                .filteredOn(event -> event.contains("\"result\":\"failure\"") && event.contains(task.publicId()))
                .singleElement()
                .asString()
                .contains("secret://short-lived");
    }

    @Test
    void secrets_that_swapped_rows_or_versions_stay_shut_and_it_is_an_event() {
        for (String name : List.of("swap-a", "swap-b")) {
            admin.put("/api/v1/secrets/" + name, "{\"value\":\"value of " + name + "\"}")
                    .expect(201);
        }
        Task task = task("demo.secret", null, "\"secret://swap-a\"".getBytes(StandardCharsets.UTF_8));
        long fence = dispatch(task, workerId, boot);
        assertThat(materials(task, fence).path(0).has("task_key")).isTrue();

        Meddler.run(
                API.database(),
                "UPDATE vault.secret s SET sealed = o.sealed, key_id = o.key_id FROM vault.secret o"
                        + " WHERE s.name = 'swap-a' AND o.name = 'swap-b'");

        assertThat(refusal(task, fence)).isEqualTo("reference_unresolved");
        admin.put("/api/v1/secrets/swap-a", "{\"value\":\"whole again\"}").expect(200);
        assertThat(materials(task, fence).path(0).has("task_key")).isTrue();
        Meddler.run(API.database(), "UPDATE vault.secret SET version = version + 1 WHERE name = 'swap-a'");
        assertThat(refusal(task, fence)).isEqualTo("reference_unresolved");
        assertThat(Outboxes.events(API.database()))
                .filteredOn(event -> event.contains("\"action\":\"open\"") && event.contains("seal_broken"))
                .hasSize(2);
    }

    @Test
    void more_secrets_than_an_answer_holds_come_with_the_next() {
        admin.put("/api/v1/secrets/large", "{\"value\":\"" + "x".repeat(65_536) + "\"}")
                .expect(201);
        byte[] payload = "\"secret://large\"".getBytes(StandardCharsets.UTF_8);
        String items = IntStream.range(0, 20)
                .mapToObj(_ -> task("demo.secret", null, payload))
                .map(task -> item(task, dispatch(task, workerId, boot)))
                .collect(Collectors.joining(","));

        JsonNode answers =
                worker.post("/worker/v1/materials", body(items)).expect(200).path("materials");

        assertThat(answers.valueStream().filter(answer -> answer.has("task_key")))
                .hasSize(16);
        assertThat(answers.valueStream()
                        .filter(answer -> answer.path("refused").asString("").equals("later")))
                .hasSize(4);
    }

    private record Task(UUID id, Place place) {
        String publicId() {
            return new Id(Kind.EXECUTION, id).toString();
        }
    }

    private Task task(String handler, @Nullable String subject) {
        return task(handler, subject, PAYLOAD);
    }

    private Task task(String handler, @Nullable String subject, byte[] payload) {
        UUID id = UuidV7.next();
        var place = new Place(id, 1, 1, handler);
        var draft = new TaskDraft(
                "a task",
                handler,
                new Schedule.OneTime(null),
                Priority.MEDIUM,
                Duration.ofMinutes(1),
                RetryPolicy.NONE,
                Misfire.LATEST,
                1,
                Overlap.SKIP,
                Duration.ZERO,
                Map.of(),
                List.of());
        AuditEvent event = AuditEvent.of(EventType.TASK_CREATED, "create", Result.SUCCESS, Instant.now());
        CreateResult created = tasks.create(new NewTask(
                id, 1, UUID.randomUUID(), draft, sealer.seal(place, payload, subject), Limits.NONE, Events.of(event)));
        assertThat(created).isInstanceOf(CreateResult.Created.class);
        return new Task(id, place);
    }

    /// Writes a dispatch row, as the owner of the execution's shard would.
    private long dispatch(Task task, UUID toWorker, UUID toBoot) {
        long n = dispatches++;
        Meddler.run(
                API.database(),
                "INSERT INTO scheduler.dispatch (shard, epoch, n, low, worker, boot, executions, attempts) SELECT shard, "
                        + EPOCH + ", " + n + ", 0, '" + toWorker + "', '" + toBoot + "', ARRAY[id], ARRAY[1] "
                        + "FROM scheduler.execution" + where(task));
        return (EPOCH << 32) + n;
    }

    private static String where(Task task) {
        return " WHERE id = '" + task.id() + "'";
    }

    private JsonNode materials(Task task, long fence) {
        return worker.post("/worker/v1/materials", request(task, fence))
                .expect(200)
                .path("materials");
    }

    private String refusal(Task task, long fence) {
        JsonNode material = materials(task, fence).path(0);
        assertThat(material.has("task_key")).isFalse();
        return Objects.requireNonNull(material.path("refused").asString());
    }

    private String request(Task task, long fence) {
        return body(item(task, fence));
    }

    private String body(String items) {
        return "{\"boot\":\"%s\",\"executions\":[%s]}".formatted(boot, items);
    }

    private static String item(Task task, long fence) {
        return "{\"execution\":\"%s\",\"fence\":%d}".formatted(task.publicId(), fence);
    }

    private String path(String kind, Task task, long fence) {
        return "/worker/v1/%s/%s?fence=%d&boot=%s".formatted(kind, task.publicId(), fence, boot);
    }
}
