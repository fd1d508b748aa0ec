package dev.vigil.cli.audit;

import dev.vigil.cli.exit.CommandFailure;
import dev.vigil.cli.exit.ExitCode;
import dev.vigil.protocol.tree.Checkpoint;
import dev.vigil.protocol.tree.VerifierKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The checkpoints that were verified before, one file each. A log that was cut or rewritten since contradicts them,
/// however well its new state is signed.
final class Memory {
    private static final int KEPT_MAX = 32;
    private static final String SUFFIX = ".note";

    private final @Nullable Path folder;
    private final List<Checkpoint> checkpoints;

    private Memory(@Nullable Path folder, List<Checkpoint> checkpoints) {
        this.folder = folder;
        this.checkpoints = checkpoints;
    }

    /// Remembers nothing.
    static Memory none() {
        return new Memory(null, List.of());
    }

    /// What is remembered of the log with that key.
    ///
    /// @param state a folder, made when there is something to remember
    static Memory open(Path state, VerifierKey key) {
        Path folder = state.resolve(nameOf(key));
        if (!Files.isDirectory(folder)) {
            return new Memory(folder, List.of());
        }
        var checkpoints = new ArrayList<Checkpoint>();
        for (Path file : files(folder)) {
            try {
                if (!(Checkpoint.open(Files.readAllBytes(file), key) instanceof Checkpoint.Opened.Verified known)) {
                    throw new CommandFailure(
                            ExitCode.FILES,
                            file
                                    + " was a verified checkpoint and is none now; find out who changed it, then delete it");
                }
                checkpoints.add(known.checkpoint());
            } catch (IOException e) {
                throw new CommandFailure(ExitCode.FILES, file + " cannot be read: " + e.getMessage());
            }
        }
        checkpoints.sort(
                Comparator.comparingLong(checkpoint -> checkpoint.head().size()));
        return new Memory(folder, checkpoints);
    }

    /// Where the command remembers unless told otherwise.
    static Path defaultState() {
        String config = System.getenv("XDG_CONFIG_HOME");
        Path base = config == null || config.isBlank()
                ? Path.of(System.getProperty("user.home"), ".config")
                : Path.of(config);
        return base.resolve("vigil").resolve("audit");
    }

    /// Oldest first.
    List<Checkpoint> checkpoints() {
        return checkpoints;
    }

    /// Remembers a verified checkpoint; forgets the oldest ones beyond the limit.
    void keep(Checkpoint checkpoint, byte[] note) {
        if (folder == null) {
            return;
        }
        try {
            Files.createDirectories(folder);
            Files.write(folder.resolve("%019d".formatted(checkpoint.head().size()) + SUFFIX), note);
            List<Path> files = files(folder);
            for (Path old : files.subList(0, Math.max(0, files.size() - KEPT_MAX))) {
                Files.delete(old);
            }
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.FILES,
                    "the verified checkpoint cannot be kept in " + folder + ": " + e.getMessage()
                            + "; give another folder with --state, or --no-state");
        }
    }

    private static List<Path> files(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(SUFFIX))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new CommandFailure(ExitCode.FILES, folder + " cannot be read: " + e.getMessage());
        }
    }

    private static String nameOf(VerifierKey key) {
        try {
            byte[] hash =
                    MessageDigest.getInstance("SHA-256").digest(key.toString().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is part of every JDK", e);
        }
    }
}
