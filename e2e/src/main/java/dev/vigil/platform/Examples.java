package dev.vigil.platform;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The tasks of `examples/` and what each must come to.
final class Examples {
    /// States that an execution does not leave.
    static final Set<String> ENDED = Set.of("succeeded", "failed", "timed_out", "cancelled", "skipped");

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Map<String, JsonNode> tasks = new LinkedHashMap<>();
    private final Map<String, JsonNode> expected = new LinkedHashMap<>();

    private Examples() {}

    /// Reads `tasks.ndjson` and `expected.ndjson`.
    static Examples in(Path folder) throws IOException {
        var examples = new Examples();
        read(folder.resolve("tasks.ndjson"), examples.tasks);
        read(folder.resolve("expected.ndjson"), examples.expected);
        if (!examples.tasks.keySet().equals(examples.expected.keySet())) {
            throw new IOException("tasks.ndjson and expected.ndjson of " + folder + " do not name the same tasks");
        }
        return examples;
    }

    private static void read(Path file, Map<String, JsonNode> byName) throws IOException {
        for (String line : Files.readAllLines(file)) {
            JsonNode node = JSON.readTree(line);
            byName.put(node.path("name").asString(), node);
        }
    }

    /// Creates every task.
    ///
    /// @return the id of each, by name
    Map<String, String> create(VigilClient client) {
        var ids = new LinkedHashMap<String, String>();
        tasks.forEach((name, body) -> ids.put(
                name,
                client.postText("/api/v1/tasks", body.toString())
                        .expect(201)
                        .path("id")
                        .asString()));
        return ids;
    }

    /// Waits until a task came to what is expected of it, or shows that it does not.
    Verdict judge(VigilClient client, String name, String id, Duration patience) {
        JsonNode wanted = expected.getOrDefault(name, JSON.missingNode());
        int runs = wanted.path("runs").asInt(1);
        long start = System.nanoTime();
        while (true) {
            List<JsonNode> ended = ended(client, id);
            if (ended.size() >= runs) {
                return ended.stream()
                        .map(execution -> difference(client, wanted, execution))
                        .flatMap(Optional::stream)
                        .findFirst()
                        .map(difference -> new Verdict(name, id, false, difference))
                        .orElseGet(() -> new Verdict(name, id, true, summary(ended)));
            }
            if (System.nanoTime() - start > patience.toNanos()) {
                return new Verdict(
                        name,
                        id,
                        false,
                        ended.size() + " of " + runs + " runs ended within " + patience.toSeconds() + " s");
            }
            pause();
        }
    }

    private static List<JsonNode> ended(VigilClient client, String task) {
        return client.get("/api/v1/executions?limit=50&task_id=" + task)
                .expect(200)
                .path("items")
                .valueStream()
                .filter(execution -> ENDED.contains(execution.path("state").asString()))
                .toList();
    }

    private static Optional<String> difference(VigilClient client, JsonNode wanted, JsonNode listed) {
        JsonNode execution =
                client.get("/api/v1/executions/" + listed.path("id").asString()).expect(200);
        if (!execution.path("state").equals(wanted.path("state"))) {
            return Optional.of("ended " + execution.path("state").asString() + " instead of "
                    + wanted.path("state").asString() + ": " + execution.path("error"));
        }
        if (wanted.has("output") && !execution.path("result").equals(wanted.path("output"))) {
            return Optional.of("came to " + execution.path("result") + " instead of " + wanted.path("output"));
        }
        if (wanted.has("code") && !execution.path("error").path("code").equals(wanted.path("code"))) {
            return Optional.of("failed with " + execution.path("error") + " instead of " + wanted.path("code"));
        }
        if (wanted.has("attempt") && !execution.path("attempt").equals(wanted.path("attempt"))) {
            return Optional.of("took " + execution.path("attempt") + " attempts instead of " + wanted.path("attempt"));
        }
        return Optional.empty();
    }

    private static String summary(List<JsonNode> ended) {
        JsonNode last = ended.getFirst();
        String runs = ended.size() == 1 ? "" : ended.size() + " runs, ";
        String code = last.path("error").path("code").asString("");
        return runs + last.path("state").asString() + (code.isEmpty() ? "" : " as it should, " + code)
                + (last.path("attempt").asInt() > 1 ? ", attempt " + last.path("attempt") : "") + ", "
                + last.path("duration_ms").asLong() + " ms";
    }

    private static void pause() {
        try {
            Thread.sleep(100);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the examples ran", e);
        }
    }

    /// Whether a task came to what it should.
    ///
    /// @param name  of the task
    /// @param id    of the task
    /// @param right whether every run gave the right answer
    /// @param words what happened, or the difference
    record Verdict(String name, String id, boolean right, String words) {}
}
