package dev.vigil.agent.sandbox;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;

/// Copies a handler's folder to a place of the agent's own, readable by every sandbox. A copy, because the original
/// may belong to root alone, and because what was approved must not change while it runs.
final class Staging {
    private static final int FILES_MAX = 20_000;
    private static final long BYTES_MAX = 512L << 20;

    private Staging() {}

    /// Links are copied as links: they lead somewhere inside the sandbox or nowhere. Devices, sockets and pipes are
    /// left out.
    ///
    /// @throws IOException also when the folder is larger than a handler may be
    static void copy(Path from, Path to) throws IOException {
        Launcher.deleteTree(to);
        Files.walkFileTree(from, new Copy(from, to));
    }

    private static final class Copy extends SimpleFileVisitor<Path> {
        private final Path from;
        private final Path to;
        private int files;
        private long bytes;

        Copy(Path from, Path to) {
            this.from = from;
            this.to = to;
        }

        @Override
        public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) throws IOException {
            Path target = Files.createDirectories(to.resolve(from.relativize(folder)));
            Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rwxr-xr-x"));
            count(0);
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
            Path target = to.resolve(from.relativize(file));
            if (attributes.isSymbolicLink()) {
                Files.createSymbolicLink(target, Files.readSymbolicLink(file));
                count(0);
            } else if (attributes.isRegularFile()) {
                count(attributes.size());
                Files.copy(file, target, LinkOption.NOFOLLOW_LINKS);
                String permissions = Files.isExecutable(file) ? "rwxr-xr-x" : "rw-r--r--";
                Files.setPosixFilePermissions(target, PosixFilePermissions.fromString(permissions));
            }
            return FileVisitResult.CONTINUE;
        }

        private void count(long size) throws IOException {
            files++;
            bytes += size;
            if (files > FILES_MAX || bytes > BYTES_MAX) {
                throw new IOException("handler folder " + from + " has more than " + FILES_MAX + " files or "
                        + (BYTES_MAX >> 20) + " MiB; put large data elsewhere");
            }
        }
    }
}
