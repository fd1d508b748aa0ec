package dev.vigil.platform;

import dev.vigil.postgres.FreePort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A platform started as a user starts it: `./vigil dev` as a process of its own, found through `ready.json`.
final class DevRun implements AutoCloseable {
    static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Duration START_PATIENCE = Duration.ofMinutes(3);
    /// Processes that live for seconds: what the second compiler would gain is never earned back.
    private static final String QUICK_START = "-XX:TieredStopAtLevel=1";

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Path data;
    private final List<String> command;
    private Process process;
    private JsonNode ready = JSON.missingNode();

    private DevRun(Path data, List<String> command) throws IOException {
        this.data = data;
        this.command = command;
        this.process = launch();
    }

    /// Starts it and waits until a task can run.
    static DevRun start(Path data, String... options) throws IOException {
        var command = new ArrayList<>(List.of(
                ROOT.resolve("vigil").toString(), "dev", "--data", data.toString(), "--port", "" + FreePort.pick()));
        command.addAll(List.of(options));
        var run = new DevRun(data, command);
        run.awaitReady();
        return run;
    }

    /// Starts it again on the same data and the same port.
    void restart() throws IOException {
        // What a killed server left must not pass for the new one's.
        Files.deleteIfExists(data.resolve("ready.json"));
        process = launch();
        awaitReady();
    }

    private Process launch() throws IOException {
        var builder = new ProcessBuilder(command);
        builder.environment().put("VIGIL_CLASS_PATH", System.getProperty("java.class.path"));
        builder.environment().put("JAVA_TOOL_OPTIONS", QUICK_START);
        Path log = data.resolveSibling(data.getFileName() + ".dev.log");
        return builder.redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
    }

    private void awaitReady() {
        Path file = data.resolve("ready.json");
        Awaitility.await("ready.json in " + data).atMost(START_PATIENCE).until(() -> {
            if (!process.isAlive()) {
                throw new IllegalStateException("vigil dev ended with status " + process.exitValue() + ":\n"
                        + Files.readString(data.resolveSibling(data.getFileName() + ".dev.log")));
            }
            return Files.exists(file);
        });
        try {
            ready = JSON.readTree(Files.readString(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String url() {
        return ready.path("url").asString();
    }

    /// What `ready.json` says.
    JsonNode ready() {
        return ready;
    }

    VigilClient client() {
        JsonNode client = ready.path("client");
        return VigilClient.ofClient(
                url(),
                client.path("client_id").asString(),
                client.path("client_secret").asString());
    }

    VigilClient admin() {
        JsonNode admin = ready.path("admin");
        return VigilClient.ofUser(
                url(), admin.path("username").asString(), admin.path("password").asString());
    }

    /// The database, as its owner.
    Connection database() throws SQLException {
        JsonNode db = ready.path("postgres");
        return DriverManager.getConnection(
                "jdbc:postgresql://" + db.path("host").asString() + ":"
                        + db.path("port").asInt() + "/" + db.path("database").asString(),
                db.path("owner").asString(),
                db.path("password").asString());
    }

    /// SIGKILL to the JVM of the server services, and wait until all that belonged to it is gone.
    void killServer() throws InterruptedException {
        ProcessHandle server = ProcessHandle.of(ready.path("pid").asLong()).orElseThrow();
        server.destroyForcibly();
        server.onExit().join();
        if (!process.waitFor(30, TimeUnit.SECONDS)) {
            throw new IllegalStateException("the launcher outlived its server by 30 s");
        }
    }

    /// SIGKILL to a part that is a process of its own: `postgres`, `worker-1`, `core-2`.
    void kill(String part) throws IOException {
        Path mark = data.resolve("run").resolve(part + ".pid");
        long pid = Long.parseLong(Files.readString(mark).strip().split("\\s+", -1)[0]);
        ProcessHandle handle = ProcessHandle.of(pid).orElseThrow();
        handle.destroyForcibly();
        handle.onExit().join();
    }

    @Override
    public void close() throws IOException {
        if (process.isAlive()) {
            var stop = new ProcessBuilder(ROOT.resolve("vigil").toString(), "stop", "--data", data.toString());
            // Without it, the script would build first.
            stop.environment().put("VIGIL_CLASS_PATH", System.getProperty("java.class.path"));
            stop.redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .onExit()
                    .join();
            process.onExit().join();
        }
    }
}
