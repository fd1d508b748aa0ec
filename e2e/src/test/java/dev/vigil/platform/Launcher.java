package dev.vigil.platform;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// The script `./vigil` as a test calls it: in this folder, with this environment, on the classes of this build.
final class Launcher {
    static final Path SCRIPT =
            Path.of("").toAbsolutePath().resolveSibling("vigil").normalize();
    private static final long END_WITHIN_SECONDS = 60;

    private final Path workingFolder;
    private final Map<String, String> environment = new HashMap<>(System.getenv());

    Launcher(Path workingFolder) {
        this.workingFolder = workingFolder;
        environment.put("VIGIL_CLASS_PATH", System.getProperty("java.class.path"));
        environment.put("JAVA_HOME", System.getProperty("java.home"));
    }

    Launcher with(String variable, String value) {
        environment.put(variable, value);
        return this;
    }

    Launcher without(String variable) {
        environment.remove(variable);
        return this;
    }

    /// A folder with these tools of the machine and no others, for `PATH`.
    static Path toolsOnly(Path folder, String... tools) throws IOException {
        Files.createDirectories(folder);
        for (String tool : tools) {
            Path real = Path.of("/usr/bin", tool);
            Files.createSymbolicLink(folder.resolve(tool), Files.exists(real) ? real : Path.of("/bin", tool));
        }
        return folder;
    }

    /// What a call ended with.
    ///
    /// @param status its exit status
    /// @param output both outputs
    record Answer(int status, String output) {}

    /// Runs to the end.
    Answer run(String... arguments) throws IOException, InterruptedException {
        Process process = start(arguments);
        String output = String.join("\n", process.inputReader().readAllLines());
        if (!process.waitFor(END_WITHIN_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("vigil " + List.of(arguments) + " did not end; it printed: " + output);
        }
        return new Answer(process.exitValue(), output);
    }

    /// Starts it; both outputs are its input stream's.
    Process start(String... arguments) throws IOException {
        var command = new ArrayList<>(List.of(SCRIPT.toString()));
        command.addAll(List.of(arguments));
        return builder(command).start();
    }

    /// Starts `dev` on a folder.
    Running dev(Path data, String... options) throws IOException {
        var command = new ArrayList<>(List.of(SCRIPT.toString(), "dev", "--data", data.toString(), "--port", "0"));
        command.addAll(List.of(options));
        Path console = Files.createTempFile(workingFolder, "console", ".txt");
        return new Running(builder(command).redirectOutput(console.toFile()).start(), data, console);
    }

    ProcessBuilder builder(List<String> command) {
        var builder =
                new ProcessBuilder(command).directory(workingFolder.toFile()).redirectErrorStream(true);
        builder.environment().clear();
        builder.environment().putAll(environment);
        return builder;
    }
}
