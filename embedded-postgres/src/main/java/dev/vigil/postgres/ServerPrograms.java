package dev.vigil.postgres;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import java.util.Objects;
import java.util.Properties;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/// Unpacks the programs of the server (`postgres`, `initdb`) from the archive on the class path.
final class ServerPrograms {
    private ServerPrograms() {}

    /// Makes sure a folder of `home` named by the version holds the programs, and returns it. Several processes may do
    /// so at once: each unpacks beside it and the first rename wins, so what exists under that name is
    /// always complete.
    static Path unpackTo(Path home) throws IOException {
        Path dir = home.resolve("postgres-" + version());
        if (Files.isExecutable(dir.resolve("bin/postgres"))) {
            return dir;
        }
        Path parent = Files.createDirectories(parentOf(dir));
        Path fresh = Files.createTempDirectory(parent, ".unpacking-");
        try {
            extract(fresh);
            Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rwxr-xr-x"));
            Files.move(fresh, dir, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException otherWasFirst) {
            // An atomic move onto a full folder fails with this, by no type of its own.
            if (!Files.exists(dir)) {
                throw otherWasFirst;
            }
            if (!Files.isExecutable(dir.resolve("bin/postgres"))) {
                throw new PostgresStartException(
                        dir + " exists but holds no PostgreSQL server; delete that folder and start again",
                        otherWasFirst);
            }
        } finally {
            Folders.delete(fresh);
        }
        return dir;
    }

    private static String version() throws IOException {
        var properties = new Properties();
        try (InputStream resource = ServerPrograms.class.getResourceAsStream("server.properties")) {
            properties.load(Objects.requireNonNull(resource, "server.properties is part of this jar"));
        }
        return properties.getProperty("version");
    }

    private static Path parentOf(Path dir) {
        Path parent = dir.toAbsolutePath().getParent();
        if (parent == null) {
            throw new IllegalArgumentException("the server programs cannot be unpacked to the root folder");
        }
        return parent;
    }

    private static void extract(Path target) throws IOException {
        String archive = "/" + archiveName(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
        try (InputStream resource = ServerPrograms.class.getResourceAsStream(archive)) {
            if (resource == null) {
                throw new PostgresStartException(
                        "no PostgreSQL programs for this machine on the class path (looked for " + archive
                                + "); build on this machine, so that Maven chooses them, or use your own server");
            }
            try (var tar = new TarArchiveInputStream(new XZInputStream(new BufferedInputStream(resource)))) {
                for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                    write(tar, entry, target);
                }
            }
        }
    }

    private static void write(TarArchiveInputStream tar, TarArchiveEntry entry, Path target) throws IOException {
        Path path = inside(target, target.resolve(entry.getName()));
        if (entry.isDirectory()) {
            Files.createDirectories(path);
            return;
        }
        Files.createDirectories(parentOf(path));
        if (entry.isSymbolicLink()) {
            inside(target, parentOf(path).resolve(entry.getLinkName()));
            Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
            return;
        }
        Files.copy(tar, path, StandardCopyOption.REPLACE_EXISTING);
        boolean executable = (entry.getMode() & 0100) != 0;
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(executable ? "rwxr-xr-x" : "rw-r--r--"));
    }

    private static Path inside(Path target, Path path) throws IOException {
        Path normal = path.normalize();
        if (!normal.startsWith(target)) {
            throw new IOException("the server archive names " + path + ", outside of its folder; it is not unpacked");
        }
        return normal;
    }

    /// The archive's name inside the artifact for an operating system and processor, as Java names them.
    static String archiveName(String os, String arch) {
        String lower = os.toLowerCase(Locale.ROOT);
        String system = lower.startsWith("mac") ? "darwin" : lower;
        String machine = switch (arch) {
            case "amd64" -> "x86_64";
            case "aarch64" -> "arm_64";
            default -> arch;
        };
        return "postgres-" + system + "-" + machine + ".txz";
    }
}
