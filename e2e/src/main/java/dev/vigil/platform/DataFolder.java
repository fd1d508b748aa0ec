package dev.vigil.platform;

import dev.vigil.postgres.EmbeddedPostgres;
import dev.vigil.postgres.FolderLock;
import dev.vigil.postgres.Folders;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;

/// The folder of one platform: where its parts keep their things, who runs it, and which processes belong to it.
///
/// @param dir absolute
record DataFolder(Path dir) {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /// Holds `ready.json`'s content while tasks can run.
    Path ready() {
        return dir.resolve("ready.json");
    }

    Path postgres() {
        return dir.resolve("postgres");
    }

    Path rolePasswords() {
        return dir.resolve("roles.properties");
    }

    Path credentials() {
        return dir.resolve("credentials.properties");
    }

    Path rootKey() {
        return dir.resolve("root.key");
    }

    /// What the JVM of the server services logs.
    Path log() {
        return dir.resolve("vigil.log");
    }

    /// A folder of one part, such as `workers/1`, created when absent.
    Path part(String name) {
        try {
            return Folders.createPrivate(dir.resolve(name));
        } catch (IOException failure) {
            throw new UncheckedIOException("folder " + dir.resolve(name) + " not created", failure);
        }
    }

    /// Whether a platform ever ran here.
    boolean wasUsed() {
        return Files.exists(dir.resolve("lock"));
    }

    /// Makes the folder this process's; empty when another process has it.
    Optional<FolderLock> claim() throws IOException {
        Folders.createPrivate(dir);
        Optional<FolderLock> lock = FolderLock.take(dir.resolve("lock"));
        if (lock.isPresent()) {
            Folders.writePrivate(dir.resolve("pid"), ProcessMark.of(ProcessHandle.current()));
        }
        return lock;
    }

    /// The process that claimed the folder last, if it lives.
    Optional<ProcessHandle> owner() throws IOException {
        return read(dir.resolve("pid")).flatMap(ProcessMark::living);
    }

    void writeReady(Ready ready) throws IOException {
        Folders.writePrivate(
                ready(), JSON.writerWithDefaultPrettyPrinter().writeValueAsString(ready) + System.lineSeparator());
    }

    void removeReady() throws IOException {
        Files.deleteIfExists(ready());
    }

    /// Notes a process that belongs to this platform in `run/NAME.pid`, so that the next start or a stop can wait for
    /// its end, and people can find it.
    void note(String name, ProcessHandle process) {
        try {
            Folders.writePrivate(part("run").resolve(name + ".pid"), ProcessMark.of(process));
        } catch (IOException failure) {
            throw new UncheckedIOException("process " + process.pid() + " not noted in " + dir, failure);
        }
    }

    /// Waits until the processes of an earlier run are gone: they end by themselves when the JVM that started them is
    /// gone. One that does not is killed.
    ///
    /// @return whether there were any
    boolean awaitEndOfOthers(Duration patience) throws IOException {
        var others = new ArrayList<ProcessHandle>();
        Path run = part("run");
        try (Stream<Path> marks = Files.list(run)) {
            for (Path mark : marks.toList()) {
                read(mark).flatMap(ProcessMark::living).ifPresent(others::add);
            }
        }
        EmbeddedPostgres.running(postgres()).ifPresent(others::add);
        long until = System.nanoTime() + patience.toNanos();
        for (ProcessHandle other : others) {
            awaitEnd(other, until - System.nanoTime());
        }
        Folders.delete(run);
        return !others.isEmpty();
    }

    /// Waits for the end of a process; kills it when the time is up.
    static void awaitEnd(ProcessHandle process, long nanos) {
        try {
            process.onExit().get(nanos, TimeUnit.NANOSECONDS);
        } catch (TimeoutException stubborn) {
            process.destroyForcibly();
            process.onExit().join();
        } catch (ExecutionException failure) {
            throw new IllegalStateException("end of process " + process.pid() + " not seen", failure);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static Optional<String> read(Path file) throws IOException {
        try {
            return Optional.of(Files.readString(file));
        } catch (NoSuchFileException absent) {
            return Optional.empty();
        }
    }
}
