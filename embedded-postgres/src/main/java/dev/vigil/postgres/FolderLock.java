package dev.vigil.postgres;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;

/// Keeps a folder to one process. The kernel gives it up when the process ends, however that happens.
public final class FolderLock implements AutoCloseable {
    /// A process that was just killed may hold its lock for a moment longer.
    private static final Duration PATIENCE = Duration.ofSeconds(3);

    private final FileChannel channel;

    private FolderLock(FileChannel channel) {
        this.channel = channel;
    }

    /// Takes the lock; waits a moment for a process that is just ending.
    ///
    /// @param file  created when absent
    /// @return empty when another process, or this one, holds it
    public static Optional<FolderLock> take(Path file) throws IOException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        var patience = new Patience(PATIENCE);
        while (!taken(channel)) {
            if (!patience.pause()) {
                channel.close();
                return Optional.empty();
            }
        }
        return Optional.of(new FolderLock(channel));
    }

    private static boolean taken(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException sameProcess) {
            return false;
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
