package dev.vigil.postgres;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The file `postmaster.pid` in a data folder: who serves it, and whether connections are accepted yet.
///
/// @param file its path
record PidFile(Path file) {
    private static final int STATUS_LINE = 7;

    static PidFile of(Path data) {
        return new PidFile(data.resolve("postmaster.pid"));
    }

    /// The process that serves this data folder now; empty for a file that a dead one left.
    Optional<ProcessHandle> living() throws IOException {
        List<String> lines = lines();
        if (lines.isEmpty()) {
            return Optional.empty();
        }
        try {
            return ProcessHandle.of(Long.parseLong(lines.getFirst().strip())).filter(this::serves);
        } catch (NumberFormatException halfWritten) {
            return Optional.empty();
        }
    }

    boolean ready() throws IOException {
        List<String> lines = lines();
        return lines.size() > STATUS_LINE && lines.get(STATUS_LINE).strip().equals("ready");
    }

    private List<String> lines() throws IOException {
        try {
            return Files.readAllLines(file);
        } catch (NoSuchFileException absent) {
            return List.of();
        }
    }

    /// A process number may have been given to a stranger since; the server's working folder is the data folder.
    private boolean serves(ProcessHandle process) {
        if (!process.isAlive()) {
            return false;
        }
        Path working = Path.of("/proc", Long.toString(process.pid()), "cwd");
        try {
            return Files.isSameFile(working, file.resolveSibling("."));
        } catch (IOException unreadable) {
            return process.info()
                    .command()
                    .filter(path -> path.endsWith("/postgres"))
                    .isPresent();
        }
    }
}
