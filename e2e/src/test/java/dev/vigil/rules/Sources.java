package dev.vigil.rules;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/// Where the project lies, and the Java sources of all its modules.
final class Sources {
    /// The folder of the parent pom; the tests run in a module's folder below it.
    static final Path PROJECT = project();

    private Sources() {}

    private static Path project() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve(".mvn"))) {
            folder = Objects.requireNonNull(folder.getParent(), "no folder above the working directory holds .mvn");
        }
        return folder;
    }
}
