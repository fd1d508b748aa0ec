package dev.vigil.platform;

import dev.vigil.postgres.FolderLock;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// `./vigil stop`: ends the platform of a data folder and returns when its last process is gone.
final class Stop {
    private static final Duration ORDERLY_END = Duration.ofSeconds(60);
    private static final Duration END_OF_ORPHANS = Duration.ofSeconds(30);

    private Stop() {}

    /// Stops what runs on the folder.
    ///
    /// @param args the folder
    static void main(String[] args) throws IOException {
        var folder = new DataFolder(Path.of(args[0]).toAbsolutePath().normalize());
        System.out.println(
                stop(folder) ? "Vigil in " + folder.dir() + " is stopped." : "Nothing runs in " + folder.dir() + ".");
    }

    /// Ends it in its own order; what then remains, or was left by a process that was killed, is waited for.
    ///
    /// @return false when nothing ran
    static boolean stop(DataFolder folder) throws IOException {
        if (!folder.wasUsed()) {
            return false;
        }
        Optional<ProcessHandle> owner = folder.owner();
        if (owner.isPresent()) {
            owner.get().destroy();
            DataFolder.awaitEnd(owner.get(), ORDERLY_END.toNanos());
        }
        try (FolderLock _ = folder.claim()
                .orElseThrow(() -> new IOException(folder.dir() + " is in use by another process that is no Vigil"))) {
            boolean orphans = folder.awaitEndOfOthers(END_OF_ORPHANS);
            folder.removeReady();
            return owner.isPresent() || orphans;
        }
    }
}
