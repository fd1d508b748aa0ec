package dev.vigil.platform;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// `./vigil demo`: the platform as a new user meets it. Starts `./vigil dev` in a temporary folder, takes the [Tour],
/// stops.
public final class Demo {
    private static final Duration START_PATIENCE = Duration.ofMinutes(3);
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Path launcher;
    private final PrintStream out;

    private Demo(Path launcher, PrintStream out) {
        this.launcher = launcher;
        this.out = out;
    }

    /// Runs the demo and exits 0, or says what failed and exits 1.
    ///
    /// @param args the path of the launcher script
    public static void main(String[] args) throws IOException, InterruptedException {
        var demo = new Demo(Path.of(args[0]).toAbsolutePath(), System.out);
        System.exit(demo.run() ? 0 : 1);
    }

    private boolean run() throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("vigil-demo-");
        Process dev = start(folder);
        boolean good = false;
        try {
            good = Tour.show(ready(folder, dev), launcher.resolveSibling("examples"), out);
        } catch (IllegalStateException | VigilClient.Unreachable e) {
            out.println("\n✘ " + e.getMessage());
        } finally {
            out.println("\nStopping.");
            command("stop", "--data", folder.toString()).inheritIO().start().waitFor();
            dev.waitFor();
            if (good) {
                Trees.delete(folder);
            } else {
                out.println("The logs are in " + folder);
            }
        }
        out.println(good ? "✔ Everything came to what it should." : "✘ The demo failed; see above.");
        return good;
    }

    private Process start(Path folder) throws IOException {
        Path handlers = launcher.resolveSibling("examples").resolve("handlers");
        return command(
                        "dev",
                        "--data",
                        folder.toString(),
                        "--port",
                        "0",
                        "--handlers",
                        handlers.toString(),
                        "--approve-handlers")
                .inheritIO()
                .start();
    }

    private ProcessBuilder command(String... words) {
        var line = new ArrayList<>(List.of(launcher.toString()));
        line.addAll(List.of(words));
        return new ProcessBuilder(line);
    }

    private static JsonNode ready(Path folder, Process dev) throws IOException {
        Path file = folder.resolve("ready.json");
        boolean over = Polling.until(
                        START_PATIENCE,
                        () -> Files.exists(file) || !dev.isAlive() ? Optional.of(true) : Optional.empty())
                .isPresent();
        if (!Files.exists(file)) {
            throw new IllegalStateException(
                    over
                            ? "vigil dev ended with status " + dev.exitValue() + " before it was ready"
                            : "vigil dev was not ready within " + START_PATIENCE.toSeconds() + " s");
        }
        return JSON.readTree(Files.readString(file));
    }
}
