package dev.vigil.platform;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Real processes, killed without warning while tasks pour in: nothing acknowledged is lost, nothing completes twice,
/// and everything comes back by itself. `-Dvigil.chaos.rounds=20` makes the long run of it
/// (docs/how-to/test-under-faults.md).
class ChaosTest {
    private static final int ROUNDS = Integer.getInteger("vigil.chaos.rounds", 3);
    private static final Duration RECOVERY = Duration.ofSeconds(90);

    /// Kept when the test fails: its logs say why.
    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path folder;

    @Test
    void no_kill_loses_or_doubles_an_acknowledged_task() throws Exception {
        try (DevRun dev = DevRun.start(folder.resolve("data"), "--cores", "2", "--workers", "2")) {
            var load = new Load(dev::client);
            try (load) {
                for (int round = 1; round <= ROUNDS; round++) {
                    for (String part : List.of("worker-1", "core-2", "postgres")) {
                        load.awaitAcknowledged(20);
                        dev.kill(part);
                        awaitTasksRun(dev, "round " + round + ", " + part + " killed");
                    }
                    load.awaitAcknowledged(20);
                    dev.killServer();
                    dev.restart();
                    awaitTasksRun(dev, "round " + round + ", server killed");
                }
            }
            assertThat(load.acknowledged).hasSizeGreaterThan(ROUNDS * 80);
            try (Connection database = dev.database()) {
                Awaitility.await("every acknowledged task completed")
                        .atMost(RECOVERY)
                        .untilAsserted(() -> assertThat(without(load.acknowledged, completed(database)))
                                .isEmpty());
                assertThat(completedTwice(database)).isEmpty();
            }
        }
    }

    /// A task created now is run: the platform is back.
    private static void awaitTasksRun(DevRun dev, String after) {
        var seen = new AtomicReference<>("nothing");
        try {
            Awaitility.await(after)
                    .atMost(RECOVERY)
                    .ignoreExceptions()
                    .untilAsserted(() -> assertThat(runs(dev, seen)).isTrue());
        } catch (ConditionTimeoutException late) {
            throw new AssertionError(after + ", and no task ran; seen last: " + seen, late);
        }
    }

    private static boolean runs(DevRun dev, AtomicReference<String> seen) {
        try {
            VigilClient client = dev.client();
            String id = create(client, 0).expect(201).path("id").asString();
            return Polling.until(Duration.ofSeconds(20), () -> {
                        List<JsonNode> executions = executions(client, id);
                        seen.set(executions.toString());
                        return executions.stream()
                                .filter(execution ->
                                        execution.path("state").asString().equals("succeeded"))
                                .findFirst();
                    })
                    .isPresent();
        } catch (VigilClient.Unreachable | IllegalStateException e) {
            seen.set(e.toString());
            return false;
        }
    }

    /// What became of a task so far, each with why it does not run.
    private static List<JsonNode> executions(VigilClient client, String task) {
        return client.get("/api/v1/executions?task_id=" + task)
                .expect(200)
                .path("items")
                .valueStream()
                .map(execution -> ((ObjectNode) execution)
                        .set(
                                "explain",
                                client.get("/api/v1/executions/"
                                                + execution.path("id").asString() + "/explain")
                                        .json()))
                .map(JsonNode.class::cast)
                .toList();
    }

    private static VigilClient.Reply create(VigilClient client, int n) {
        return client.post(
                "/api/v1/tasks",
                Map.of(
                        "name",
                        "load-" + n,
                        "handler",
                        n % 10 == 9 ? "demo.sleep" : "demo.echo",
                        "schedule",
                        Map.of("type", "one_time"),
                        "payload",
                        Map.of("ms", 100, "n", n)));
    }

    private static Set<String> completed(Connection database) throws SQLException {
        return ids(database, "SELECT task_id FROM scheduler.history WHERE state = 1");
    }

    private static Set<String> completedTwice(Connection database) throws SQLException {
        return ids(database, "SELECT task_id FROM scheduler.history GROUP BY task_id HAVING count(*) > 1");
    }

    private static Set<String> ids(Connection database, String query) throws SQLException {
        var ids = ConcurrentHashMap.<String>newKeySet();
        try (var statement = database.createStatement();
                var rows = statement.executeQuery(query)) {
            while (rows.next()) {
                ids.add(new dev.vigil.protocol.id.Id(
                                dev.vigil.protocol.id.Kind.TASK, rows.getObject(1, java.util.UUID.class))
                        .toString());
            }
        }
        return ids;
    }

    private static List<String> without(Set<String> all, Set<String> some) {
        return all.stream().filter(id -> !some.contains(id)).toList();
    }

    /// Creates tasks one after the other for as long as it is open, and remembers those that were acknowledged.
    private static final class Load implements AutoCloseable {
        private final Set<String> acknowledged = ConcurrentHashMap.newKeySet();
        private final List<String> refusals = new ArrayList<>();
        private final AtomicBoolean open = new AtomicBoolean(true);
        private final CompletableFuture<Void> done;

        Load(Supplier<VigilClient> connect) {
            done = CompletableFuture.runAsync(
                    () -> run(connect), Thread.ofPlatform().name("load")::start);
        }

        private void run(Supplier<VigilClient> connect) {
            VigilClient client = null;
            for (int n = 1; open.get(); n++) {
                try {
                    client = client == null ? connect.get() : client;
                    VigilClient.Reply reply = create(client, n);
                    if (reply.status() == 201) {
                        acknowledged.add(reply.json().path("id").asString());
                    } else {
                        refusals.add(reply.status() + " " + reply.text());
                        client = null;
                    }
                } catch (VigilClient.Unreachable | IllegalStateException gone) {
                    client = null;
                }
            }
        }

        void awaitAcknowledged(int more) {
            int wanted = acknowledged.size() + more;
            Awaitility.await("load acknowledged; refused: "
                            + refusals.stream().limit(3).toList())
                    .atMost(RECOVERY)
                    .until(() -> acknowledged.size() >= wanted);
        }

        @Override
        public void close() {
            open.set(false);
            done.join();
        }
    }
}
