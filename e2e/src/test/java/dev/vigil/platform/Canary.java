package dev.vigil.platform;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
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

    /// Files below a folder that hold one of some texts. Others may write there meanwhile: what vanishes is passed
    /// over.
    static List<Path> filesHolding(Path folder, String... texts) throws IOException {
        var found = new ArrayList<Path>();
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                try {
                    if (attributes.isRegularFile() && Stream.of(texts).anyMatch(content(file)::contains)) {
                        found.add(file);
                    }
                } catch (NoSuchFileException gone) {
                    // Whoever wrote it was quicker.
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException reason) throws IOException {
                if (reason instanceof NoSuchFileException) {
                    return FileVisitResult.CONTINUE;
                }
                throw reason;
            }
        });
        return found;
    }

    /// Whether a process leaves a core file, or whatever it starts does.
    static boolean dumpsCore(long pid) throws IOException {
        return Files.readAllLines(Path.of("/proc/" + pid + "/limits")).stream()
                .filter(line -> line.startsWith("Max core file size"))
                .noneMatch(line -> line.matches("Max core file size +0 +0 .*"));
    }

    /// Whether a file is there, may be read and holds a text.
    static boolean holds(Path file, String text) {
        try {
            return content(file).contains(text);
        } catch (IOException gone) {
            return false;
        }
    }

    /// Each byte as one character.
    private static String content(Path file) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
    }
}
