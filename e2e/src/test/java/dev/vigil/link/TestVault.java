package dev.vigil.link;

import com.sun.net.httpserver.HttpExchange;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.identity.TestApi;
import dev.vigil.protocol.identity.TestAuthority;
import dev.vigil.protocol.payload.Purpose;
import dev.vigil.protocol.payload.SealBrokenException;
import dev.vigil.protocol.payload.SealContext;
import dev.vigil.protocol.payload.TaskKey;
import dev.vigil.scheduler.execution.AttemptEnd;
import dev.vigil.scheduler.execution.Dispatch;
import dev.vigil.scheduler.worker.TestCore;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The API's worker port: certificates, the list of cores, materials, large payloads and results.
final class TestVault implements AutoCloseable {
    private static final JsonMapper JSON = new JsonMapper();
    private static final int INLINE_MAX = 16 * 1024 + TaskKey.OVERHEAD;

    final TestAuthority authority = new TestAuthority();
    final TestApi api;
    final List<TestCore> cores = new CopyOnWriteArrayList<>();
    final AtomicInteger materialCalls = new AtomicInteger();
    /// While it is set, whoever asks for materials waits.
    volatile @Nullable CountDownLatch materialsHeld;
    private final Map<UUID, Sealed> sealed = new ConcurrentHashMap<>();
    private final Map<UUID, byte[]> uploads = new ConcurrentHashMap<>();
    private final AtomicLong fences = new AtomicLong(1L << 32);

    private record Sealed(TaskKey key, SealContext place, byte[] payload, Dispatch dispatch) {}

    TestVault() throws IOException {
        api = new TestApi(authority);
        api.serve("/worker/v1/cores", this::cores);
        api.serve("/worker/v1/materials", this::materials);
        api.serve("/worker/v1/payloads/", this::payload);
        api.serve("/worker/v1/results/", this::result);
    }

    URI uri() {
        return api.uri();
    }

    /// A dispatch of a new task with this plaintext.
    Dispatch dispatch(byte[] plaintext) {
        var key = TaskKey.of(new byte[32]);
        UUID task = UUID.randomUUID();
        UUID execution = UUID.randomUUID();
        UUID keyId = UUID.randomUUID();
        var place = new SealContext(Purpose.PAYLOAD, 1, task, 1, "demo.echo", keyId);
        byte[] payload = key.seal(place, plaintext);
        var dispatch = new Dispatch(
                execution,
                task,
                1,
                1,
                keyId,
                "demo.echo",
                fences.incrementAndGet(),
                1,
                Duration.ofMinutes(1),
                Instant.now(),
                payload.length > INLINE_MAX ? null : payload);
        sealed.put(execution, new Sealed(key, place, payload, dispatch));
        return dispatch;
    }

    /// Opens the result of an attempt that ended, as the API would for the task's owner.
    byte[] open(AttemptEnd end) {
        Sealed of = sealed.get(end.running().execution());
        byte[] record = end.uploaded() ? uploads.get(end.running().execution()) : end.result();
        if (of == null || record == null) {
            throw new AssertionError("no sealed result of " + end);
        }
        var place = new SealContext(
                Purpose.RESULT,
                1,
                end.running().execution(),
                1,
                "demo.echo",
                of.place().keyId());
        try {
            return of.key().open(place, record);
        } catch (SealBrokenException e) {
            throw new AssertionError(e);
        }
    }

    /// Opens what an execution said, as the API would.
    byte[] open(Purpose purpose, UUID execution, byte[] record) {
        Sealed of = sealed.get(execution);
        if (of == null) {
            throw new AssertionError("no execution " + execution);
        }
        var place = new SealContext(
                purpose, 1, execution, 1, "demo.echo", of.place().keyId());
        try {
            return of.key().open(place, record);
        } catch (SealBrokenException e) {
            throw new AssertionError(e);
        }
    }

    private void cores(HttpExchange exchange) throws IOException {
        var answer = JSON.createObjectNode();
        var list = answer.putArray("cores");
        for (TestCore core : cores) {
            list.addObject()
                    .put("incarnation", core.incarnation.toString())
                    .put("session_url", core.sessions().toString());
        }
        TestApi.answer(exchange, 200, answer.toString());
    }

    private void materials(HttpExchange exchange) throws IOException {
        materialCalls.incrementAndGet();
        JsonNode body = JSON.readTree(exchange.getRequestBody().readAllBytes());
        awaitRelease();
        var answer = JSON.createObjectNode();
        var list = answer.putArray("materials");
        for (JsonNode wanted : body.path("executions")) {
            String text = wanted.path("execution").asString();
            Sealed of = sealed.get(Id.parse(Kind.EXECUTION, text).map(Id::uuid).orElse(new UUID(0, 0)));
            var one = list.addObject()
                    .put("execution", text)
                    .put("fence", wanted.path("fence").asLong());
            if (of == null) {
                one.put("refused", "not_yours");
            } else {
                one.put("task_key", Base64.getEncoder().encodeToString(of.key().raw()));
                one.put("key_id", of.place().keyId().toString());
                one.putObject("secrets");
            }
        }
        TestApi.answer(exchange, 200, answer.toString());
    }

    private void awaitRelease() {
        CountDownLatch until = materialsHeld;
        if (until != null) {
            try {
                until.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// From now on it has no materials for this execution.
    void forget(UUID execution) {
        sealed.remove(execution);
    }

    private static UUID executionOf(HttpExchange exchange) {
        String path = exchange.getRequestURI().getPath();
        return Id.parse(Kind.EXECUTION, path.substring(path.lastIndexOf('/') + 1))
                .orElseThrow()
                .uuid();
    }

    private void payload(HttpExchange exchange) throws IOException {
        Sealed of = sealed.get(executionOf(exchange));
        if (of == null) {
            TestApi.problem(exchange, 404, "not_found");
            return;
        }
        exchange.sendResponseHeaders(200, of.payload().length);
        exchange.getResponseBody().write(of.payload());
        exchange.close();
    }

    private void result(HttpExchange exchange) throws IOException {
        uploads.put(executionOf(exchange), exchange.getRequestBody().readAllBytes());
        exchange.sendResponseHeaders(204, -1);
        exchange.close();
    }

    static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        cores.forEach(TestCore::close);
        api.close();
    }
}
