package dev.vigil.cli.audit;

import dev.vigil.cli.exit.CommandFailure;
import dev.vigil.cli.exit.ExitCode;
import dev.vigil.protocol.tree.Checkpoint;
import dev.vigil.protocol.tree.SignedNote;
import dev.vigil.protocol.tree.Tile;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `vigil audit download`.
@Command(
        name = "download",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Copies checkpoint, tiles and entries of the audit log into a folder, for `vigil audit verify --dir`.",
            "Run again it fetches only what is new. It verifies nothing."
        })
final class DownloadCommand implements Callable<Integer> {
    @Spec
    private @Nullable CommandSpec spec;

    @ArgGroup(exclusive = false, multiplicity = "1")
    private @Nullable Server server;

    @Option(names = "--dir", required = true, paramLabel = "DIR", description = "Where to; made when it is not there.")
    private @Nullable Path folder;

    DownloadCommand() {}

    @Override
    public Integer call() {
        LogServer log = Objects.requireNonNull(server).open();
        var copy = new LogFolder(Objects.requireNonNull(folder));
        byte[] note = log.checkpoint();
        Checkpoint checkpoint = SignedNote.parse(note)
                .flatMap(signed -> Checkpoint.parse(signed.text()))
                .orElseThrow(() -> new CommandFailure(
                        ExitCode.UNREACHABLE, "what the server gives as its checkpoint is none; is the URL right?"));
        long size = checkpoint.head().size();
        long fetched = 0;
        for (int level = Tile.ENTRIES; Tile.hashes(size, level) > 0; level++) {
            for (long index = 0; index * Tile.FULL < Tile.hashes(size, level); index++) {
                fetched += fetch(Tile.in(size, level, index).orElseThrow(), log, copy);
            }
        }
        // Last, so a folder whose checkpoint is there has everything it speaks of.
        copy.writeCheckpoint(note);
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        out.println("Downloaded " + checkpoint.origin() + ", " + size + " entries, " + fetched + " new files, to "
                + folder);
        out.println("Verify it: vigil audit verify --dir " + folder + " --key VKEY");
        return ExitCode.OK;
    }

    private static int fetch(Tile tile, LogServer log, LogFolder copy) {
        if (tile.width() == Tile.FULL && copy.has(tile)) {
            return 0;
        }
        byte[] bytes = log.read(tile)
                .orElseThrow(() -> new CommandFailure(
                        ExitCode.UNREACHABLE,
                        "the server has no " + tile.path() + ", which its own checkpoint covers"));
        copy.write(tile, bytes);
        return 1;
    }
}
