package dev.vigil.platform;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A `./vigil dev` that a test started.
///
/// @param process the launcher
/// @param data    its folder
/// @param console file that takes what it prints
record Running(Process process, Path data, Path console) implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Duration READY_WITHIN = Duration.ofMinutes(2);
    private static final Duration GONE_WITHIN = Duration.ofSeconds(15);

    Path readyFile() {
        return data.resolve("ready.json");
    }

    /// Waits for `ready.json`.
    JsonNode awaitReady() throws IOException {
        await().atMost(READY_WITHIN).until(() -> Files.exists(readyFile()) || !process.isAlive());
        if (!Files.exists(readyFile())) {
            throw new AssertionError("vigil dev ended before it was ready:\n" + Files.readString(console));
        }
        return JSON.readTree(Files.readString(readyFile()));
    }

    /// A client as `ready.json` describes it.
    static VigilClient client(JsonNode ready) {
        return VigilClient.ofClient(
                ready.path("url").asString(),
                ready.path("client").path("client_id").asString(),
                ready.path("client").path("client_secret").asString());
    }

    /// The launcher, the workers, PostgreSQL and whatever they have started by now.
    List<ProcessHandle> processes() {
        return Stream.concat(Stream.of(process.toHandle()), process.descendants())
                .toList();
    }

    /// The process that `run/NAME.pid` names, if it lives.
    Optional<ProcessHandle> noted(String name) throws IOException {
        return ProcessMark.living(Files.readString(data.resolve("run").resolve(name + ".pid")));
    }

    static void awaitEnd(List<ProcessHandle> processes) {
        await().atMost(GONE_WITHIN)
                .until(() -> processes.stream().filter(ProcessHandle::isAlive).toList(), List::isEmpty);
    }

    @Override
    public void close() {
        List<ProcessHandle> processes = processes();
        process.destroyForcibly();
        awaitEnd(processes);
    }
}
