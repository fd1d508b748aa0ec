package dev.vigil.platform;

import dev.vigil.bench.Contestant.NoOp;
import dev.vigil.bench.Starts;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/// Who creates tasks in the benchmark, over REST with a token of the client's grant. For use by many threads at once;
/// each call has a connection of its own, which stays for the next one.
final class BenchCaller {
    static final String HANDLER = "bench.noop";

    private static final JsonMapper JSON = JsonMapper.shared();
    /// Makes a payload of 256 bytes.
    private static final String PADDING = "0".repeat(224);

    private final int port;
    private final String head;
    private final ConcurrentLinkedDeque<RestConnection> idle = new ConcurrentLinkedDeque<>();

    BenchCaller(URI api, String token) {
        port = api.getPort();
        head = "Host: " + api.getAuthority() + "\r\nAuthorization: Bearer " + token + "\r\n";
    }

    /// Creates a task.
    ///
    /// @return its public id
    String create(NoOp task) throws IOException {
        byte[] answer = call("/api/v1/tasks", "application/json", json(oneTime(task), task.t0Micros()));
        return JSON.readTree(answer).path("id").asString();
    }

    /// Creates tasks in one call.
    ///
    /// @throws IOException also when one of them was refused
    void createAll(List<NoOp> tasks) throws IOException {
        var lines = new ByteArrayOutputStream(tasks.size() * 400);
        for (NoOp task : tasks) {
            lines.write(json(oneTime(task), task.t0Micros()));
            lines.write('\n');
        }
        createLines(lines.toByteArray(), tasks.size());
    }

    /// Creates tasks that fire every so many seconds, each from its own anchor on.
    void createRecurring(List<Instant> anchors, int periodSeconds) throws IOException {
        var lines = new ByteArrayOutputStream(anchors.size() * 400);
        for (Instant anchor : anchors) {
            lines.write(json(
                    Map.of("type", "interval", "every", "PT" + periodSeconds + "S", "anchor", anchor.toString()), 0));
            lines.write('\n');
        }
        createLines(lines.toByteArray(), anchors.size());
    }

    private void createLines(byte[] lines, int n) throws IOException {
        String answer = new String(call("/api/v1/tasks:bulk", "application/x-ndjson", lines), StandardCharsets.UTF_8);
        long created = answer.lines().filter(line -> line.startsWith("{\"id\"")).count();
        if (created != n) {
            throw new IOException(n - created + " of " + n + " tasks were not created; the first answer is "
                    + answer.lines()
                            .filter(line -> !line.startsWith("{\"id\""))
                            .findFirst()
                            .orElse("missing"));
        }
    }

    private static Map<String, Object> oneTime(NoOp task) {
        return task.dueMicros() == 0
                ? Map.of("type", "one_time")
                : Map.of(
                        "type",
                        "one_time",
                        "at",
                        Starts.instant(task.dueMicros()).toString());
    }

    private static byte[] json(Map<String, Object> schedule, long t0Micros) {
        return JSON.writeValueAsBytes(Map.of(
                "name",
                "bench",
                "handler",
                HANDLER,
                "schedule",
                schedule,
                "payload",
                Map.of("t0", t0Micros, "padding", PADDING)));
    }

    private byte[] call(String path, String type, byte[] body) throws IOException {
        @Nullable RestConnection connection = idle.poll();
        if (connection == null) {
            connection = new RestConnection(port);
        }
        byte[] answer;
        try {
            answer = connection.call("POST " + path + " HTTP/1.1\r\n" + head + "Content-Type: " + type + "\r\n", body);
        } catch (IOException failure) {
            connection.close();
            throw failure;
        }
        if (connection.ended()) {
            connection.close();
        } else {
            idle.push(connection);
        }
        return answer;
    }
}
