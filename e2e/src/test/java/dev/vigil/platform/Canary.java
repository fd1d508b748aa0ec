package dev.vigil.platform;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// Looks for values that only a worker's memory may hold.
final class Canary {
    private Canary() {}

    /// Arguments and environments of all processes that hold a text.
    static List<Path> seenBeside(String text) throws IOException {
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            return processes
                    .filter(process -> process.getFileName().toString().matches("[0-9]+"))
                    .flatMap(process -> Stream.of(process.resolve("cmdline"), process.resolve("environ")))
                    .filter(file -> holds(file, text))
                    .toList();
        }
    }

    /// Files in shared memory that outlived whoever wrote them.
    static List<Path> sharedMemoryHolding(List<String> texts) throws IOException {
        try (Stream<Path> files = Files.walk(Path.of("/dev/shm"))) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> texts.stream().anyMatch(text -> holds(file, text)))
                    .toList();
        }
    }

    /// Whether a process leaves a core file, or whatever it starts does.
    static boolean dumpsCore(long pid) throws IOException {
        return Files.readAllLines(Path.of("/proc/" + pid + "/limits")).stream()
                .filter(line -> line.startsWith("Max core file size"))
                .noneMatch(line -> line.matches("Max core file size +0 +0 .*"));
    }

    private static boolean holds(Path file, String text) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).contains(text);
        } catch (IOException gone) {
            return false;
        }
    }
}
