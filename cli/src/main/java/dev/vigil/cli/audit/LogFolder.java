package dev.vigil.cli.audit;

import dev.vigil.cli.exit.CommandFailure;
import dev.vigil.cli.exit.ExitCode;
import dev.vigil.protocol.tree.EntryBundle;
import dev.vigil.protocol.tree.Hash;
import dev.vigil.protocol.tree.SignedNote;
import dev.vigil.protocol.tree.Tile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Optional;

/// A log in a folder, laid out as C2SP tlog-tiles has it: the file `checkpoint`, and the tiles under `tile/`.
final class LogFolder implements LogSource {
    private static final String CHECKPOINT = "checkpoint";
    private static final int FILE_BYTES_MAX = Tile.FULL * (2 + EntryBundle.ENTRY_BYTES_MAX);

    private final Path folder;

    LogFolder(Path folder) {
        this.folder = folder;
    }

    @Override
    public byte[] checkpoint() {
        return file(folder.resolve(CHECKPOINT), SignedNote.BYTES_MAX)
                .orElseThrow(() -> new CommandFailure(
                        ExitCode.FILES,
                        "no file `checkpoint` in " + folder + "; give the folder that `vigil audit download` filled"));
    }

    /// A partial tile may have become a full one since; then its beginning is what is asked for.
    @Override
    public Optional<byte[]> read(Tile tile) {
        Optional<byte[]> exact = file(folder.resolve(tile.path()), FILE_BYTES_MAX);
        if (exact.isPresent() || tile.width() == Tile.FULL) {
            return exact;
        }
        var whole = new Tile(tile.level(), tile.index(), Tile.FULL);
        return file(folder.resolve(whole.path()), FILE_BYTES_MAX).map(bytes -> beginning(bytes, tile));
    }

    private static byte[] beginning(byte[] whole, Tile tile) {
        if (tile.level() == Tile.ENTRIES) {
            EntryBundle bundle = EntryBundle.read(whole);
            return bundle.first(Math.min(tile.width(), bundle.size()));
        }
        return Arrays.copyOf(whole, Math.min(whole.length, tile.width() * Hash.BYTES));
    }

    private static Optional<byte[]> file(Path file, int bytesMax) {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try (var in = Files.newInputStream(file)) {
            return Optional.of(in.readNBytes(bytesMax + 1));
        } catch (IOException e) {
            throw new CommandFailure(ExitCode.FILES, file + " cannot be read: " + e.getMessage());
        }
    }

    /// Whether that tile is there. Full ones never change, so they need not be fetched again.
    boolean has(Tile tile) {
        return Files.exists(folder.resolve(tile.path()));
    }

    void write(Tile tile, byte[] bytes) {
        write(tile.path(), bytes);
    }

    void writeCheckpoint(byte[] note) {
        write(CHECKPOINT, note);
    }

    private void write(String path, byte[] bytes) {
        Path file = folder.resolve(path);
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        try {
            Files.createDirectories(file.getParent());
            Files.write(fresh, bytes);
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new CommandFailure(ExitCode.FILES, file + " cannot be written: " + e.getMessage());
        }
    }
}
