package dev.vigil.agent.sandbox;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Objects;

/// Copies classes of the agent out of its jar, for a JVM of their own that knows nothing of nested jars.
final class ClassFiles {
    private ClassFiles() {}

    /// Copies classes into a folder.
    ///
    /// @param anchor  a class of the package
    /// @param names   file names of classes of that package
    /// @param folder  becomes a class path; what it held is replaced
    static void copy(Class<?> anchor, List<String> names, Path folder) throws IOException {
        Path target = folder;
        Launcher.deleteTree(folder);
        Files.createDirectories(folder);
        for (String part : anchor.getPackageName().split("\\.")) {
            readable(target);
            target = Files.createDirectory(target.resolve(part));
        }
        readable(target);
        for (String name : names) {
            try (InputStream content = Objects.requireNonNull(anchor.getResourceAsStream(name), name)) {
                Files.copy(content, target.resolve(name), StandardCopyOption.REPLACE_EXISTING);
            }
            Files.setPosixFilePermissions(target.resolve(name), PosixFilePermissions.fromString("rw-r--r--"));
        }
    }

    private static void readable(Path folder) throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
