package dev.vigil.platform;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Example tasks of one namespace and what each must come to: a folder with `tasks.ndjson` and `expected.ndjson`, and
/// `setup.json` where the tasks need secrets or tokens.
final class Examples {
    /// States that an execution does not leave.
    static final Set<String> ENDED = Set.of("succeeded", "failed", "timed_out", "cancelled", "skipped");

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final String namespace;
    private final JsonNode setup;
    private final Map<String, JsonNode> tasks = new LinkedHashMap<>();
    private final Map<String, JsonNode> expected = new LinkedHashMap<>();

    private Examples(String namespace, JsonNode setup) {
        this.namespace = namespace;
        this.setup = setup;
    }

    /// Reads `examples/`: what lies in it is for namespace `default`, a sub-folder with tasks for the namespace of its
    /// name.
    static List<Examples> in(Path folder) throws IOException {
        var sets = new ArrayList<Examples>();
        sets.add(read(folder, "default"));
        try (Stream<Path> children = Files.list(folder)) {
            for (Path child : children.sorted().toList()) {
                if (Files.exists(child.resolve("tasks.ndjson"))) {
                    sets.add(read(child, child.getFileName().toString()));
                }
            }
        }
        return sets;
    }

    private static Examples read(Path folder, String namespace) throws IOException {
        Path setup = folder.resolve("setup.json");
        var examples = new Examples(
                namespace, Files.exists(setup) ? JSON.readTree(Files.readString(setup)) : JSON.missingNode());
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

    /// The namespace that the tasks are for.
    String namespace() {
        return namespace;
    }

    /// Creates every task, after the secrets and tokens that they name.
    ///
    /// @param admin  an admin of the namespace
    /// @param client who owns the tasks
    /// @return the id of each, by name
    Map<String, String> create(VigilClient admin, VigilClient client) {
        for (var secret : setup.path("secrets").properties()) {
            admin.put("/api/v1/secrets/" + secret.getKey(), Map.of("value", secret.getValue()))
                    .expectSuccess();
        }
        var tokens = new HashMap<String, String>();
        for (var person : setup.path("pii_tokens").properties()) {
            JsonNode made = admin.post("/api/v1/pii-tokens", person.getValue()).expect(201);
            tokens.put("{token:" + person.getKey() + "}", made.path("token").asString());
        }
        var ids = new LinkedHashMap<String, String>();
        tasks.forEach((name, body) -> {
            String text = body.toString();
            for (var token : tokens.entrySet()) {
                text = text.replace(token.getKey(), token.getValue());
            }
            JsonNode task = client.postText("/api/v1/tasks", text).expect(201);
            ids.put(name, task.path("id").asString());
        });
        return ids;
    }

    /// Waits until a task came to what is expected of it, or shows that it does not.
    Verdict judge(VigilClient client, String name, String id, Duration patience) {
        JsonNode wanted = expected.getOrDefault(name, JSON.missingNode());
        if (wanted.has("next_fire_at")) {
            return judgeNextFire(client, wanted, id);
        }
        int runs = wanted.path("runs").asInt(1);
        return Polling.until(patience, () -> Optional.of(ended(client, id)).filter(ended -> ended.size() >= runs))
                .map(ended -> ended.stream()
                        .map(execution -> difference(client, wanted, execution))
                        .flatMap(Optional::stream)
                        .findFirst()
                        .map(difference -> new Verdict(name, id, false, difference))
                        .orElseGet(() -> new Verdict(name, id, true, summary(ended))))
                .orElseGet(() -> new Verdict(
                        name, id, false, "not all of " + runs + " runs ended within " + patience.toSeconds() + " s"));
    }

    private static Verdict judgeNextFire(VigilClient client, JsonNode wanted, String id) {
        JsonNode task = client.get("/api/v1/tasks/" + id).expect(200);
        String name = wanted.path("name").asString();
        JsonNode due = task.path("next_fire_at");
        boolean right = due.equals(wanted.path("next_fire_at"));
        String words = right ? "waits for " : "waits for " + wanted.path("next_fire_at") + ", but the service says ";
        return new Verdict(name, id, right, words + due.asString("nothing"));
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

    /// Whether a task came to what it should.
    ///
    /// @param name  of the task
    /// @param id    of the task
    /// @param right whether every run gave the right answer
    /// @param words what happened, or the difference
    record Verdict(String name, String id, boolean right, String words) {}
}
