package dev.vigil.agent.sandbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The folder that a sandbox sees as `/run/task`: in memory, read-only inside, readable by its user id alone. The
/// agent writes secrets into it while the sandbox runs; nothing that the handler controls is on the way.
final class TaskFolder {
    static final String INSIDE = "/run/task";
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}");
    private static final int BYTES_MAX = 64 * 1024;

    private final Launcher launcher;
    private final Path folder;
    private final String seenAs;
    private final OptionalInt user;

    private TaskFolder(Launcher launcher, Path folder, String seenAs, OptionalInt user) {
        this.launcher = launcher;
        this.folder = folder;
        this.seenAs = seenAs;
        this.user = user;
    }

    /// @param seenAs turns its path on the host into the path inside the sandbox
    /// @param user   the only id that may read it; absent when that is the agent's own
    static TaskFolder create(Launcher launcher, String id, UnaryOperator<String> seenAs, OptionalInt user)
            throws IOException {
        Path folder = launcher.tasks().resolve(id);
        return launcher.call(() -> {
            Files.createDirectories(folder.resolve("secrets"));
            var task = new TaskFolder(launcher, folder, seenAs.apply(folder.toString()), user);
            for (Path path : Set.of(folder, folder.resolve("secrets"))) {
                task.own(path, user.isPresent() ? "r-x------" : "rwx------");
            }
            return task;
        });
    }

    private void own(Path path, String permissions) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
        if (user.isPresent()) {
            Files.setAttribute(path, "unix:uid", user.getAsInt());
        }
    }

    Path path() {
        return folder;
    }

    /// Writes secrets, over older ones of the same name.
    ///
    /// @return name to the path inside the sandbox
    Map<String, String> put(Map<String, byte[]> secrets) throws IOException {
        var paths = HashMap.<String, String>newHashMap(secrets.size());
        for (Map.Entry<String, byte[]> secret : secrets.entrySet()) {
            String name = secret.getKey();
            if (!NAME.matcher(name).matches() || secret.getValue().length > BYTES_MAX) {
                throw new IOException("secret " + name + " is not given to a handler: its name must be letters, digits,"
                        + " '.', '_' or '-', its value at most " + BYTES_MAX + " bytes");
            }
            launcher.call(() -> {
                write(folder.resolve("secrets").resolve(name), secret.getValue());
                return true;
            });
            paths.put(name, seenAs + "/secrets/" + name);
        }
        return paths;
    }

    private void write(Path file, byte[] content) throws IOException {
        Files.deleteIfExists(file);
        var ownerOnly = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
        try (var out = Files.newByteChannel(
                file, EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), ownerOnly)) {
            var bytes = java.nio.ByteBuffer.wrap(content);
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
        }
        own(file, "r--------");
    }

    void clear() throws IOException {
        launcher.call(() -> {
            try (Stream<Path> files = Files.list(folder.resolve("secrets"))) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            return true;
        });
    }

    void remove() throws IOException {
        launcher.call(() -> {
            Launcher.deleteTree(folder);
            return true;
        });
    }
}
