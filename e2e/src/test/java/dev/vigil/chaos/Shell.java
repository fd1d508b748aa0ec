package dev.vigil.chaos;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// Commands of the machine.
final class Shell {
    private static final List<Path> PROGRAMS =
            Stream.of("/usr/sbin", "/usr/bin", "/sbin", "/bin").map(Path::of).toList();

    private Shell() {}

    /// What a command ended with.
    ///
    /// @param status its exit status
    /// @param output both outputs
    record Answer(int status, String output) {}

    /// Runs to the end.
    static Answer run(List<String> command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Answer(process.waitFor(), output.strip());
        } catch (IOException absent) {
            return new Answer(127, String.valueOf(absent.getMessage()));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted in " + command, interrupted);
        }
    }

    /// Runs what must succeed, words apart by blanks.
    static void must(String command) {
        Answer answer = run(List.of(command.split(" ", -1)));
        if (answer.status != 0) {
            throw new IllegalStateException(command + " ended with " + answer.status + ": " + answer.output);
        }
    }

    static boolean has(String program) {
        return PROGRAMS.stream().anyMatch(folder -> Files.isExecutable(folder.resolve(program)));
    }
}
