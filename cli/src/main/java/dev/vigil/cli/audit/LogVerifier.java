package dev.vigil.cli.audit;

import dev.vigil.cli.audit.Recomputation.Flaw;
import dev.vigil.protocol.tree.Checkpoint;
import dev.vigil.protocol.tree.EntryBundle;
import dev.vigil.protocol.tree.Hash;
import dev.vigil.protocol.tree.Tile;
import dev.vigil.protocol.tree.TiledTree;
import dev.vigil.protocol.tree.TreeHead;
import dev.vigil.protocol.tree.VerifierKey;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Verifies a whole log: signature, every entry, every tile, and that it still contains what was verified before.
final class LogVerifier {
    private static final Pattern ID = Pattern.compile("\"id\":\"(aud_[0-9a-z]{26})\"");

    private final LogSource source;
    private final VerifierKey key;
    private final Memory memory;

    LogVerifier(LogSource source, VerifierKey key, Memory memory) {
        this.source = source;
        this.key = key;
        this.memory = memory;
    }

    /// Verifies everything, and that an event is in it when one is named.
    Verdict verify(@Nullable String event) {
        byte[] note = source.checkpoint();
        return switch (Checkpoint.open(note, key)) {
            case Checkpoint.Opened.Refused(String why) -> new Verdict.Tampered(why);
            case Checkpoint.Opened.Verified(Checkpoint checkpoint) -> {
                Verdict verdict = verify(checkpoint, event);
                if (verdict instanceof Verdict.Verified) {
                    memory.keep(checkpoint, note);
                }
                yield verdict;
            }
        };
    }

    /// What an earlier checkpoint says against this one by its size alone.
    static Optional<String> shrunk(Checkpoint now, Memory memory) {
        return memory.checkpoints().stream()
                .filter(earlier -> earlier.head().size() > now.head().size())
                .findFirst()
                .map(earlier -> "the log was cut: it has " + now.head().size() + " entries and had "
                        + earlier.head().size() + " when it was verified before; the first missing entry is "
                        + now.head().size());
    }

    private Verdict verify(Checkpoint checkpoint, @Nullable String event) {
        Optional<String> shrunk = shrunk(checkpoint, memory);
        if (shrunk.isPresent()) {
            return new Verdict.Tampered(shrunk.get());
        }
        var computed = new Recomputation(source, checkpoint.head(), memory.checkpoints(), event);
        computed.run();
        if (!computed.head().equals(checkpoint.head())) {
            return new Verdict.Tampered(firstBad(computed, checkpoint.head()));
        }
        Optional<Flaw> flaw = computed.firstFlaw();
        if (flaw.isPresent()) {
            return new Verdict.Tampered(badTile(flaw.get()));
        }
        if (!computed.contradicted().isEmpty()) {
            return new Verdict.Tampered(rewritten(computed));
        }
        if (event != null && computed.eventIndex() < 0) {
            return new Verdict.Absent("the log is sound, but event " + event + " is not in it");
        }
        return new Verdict.Verified(checkpoint, held(computed, event));
    }

    private List<String> held(Recomputation computed, @Nullable String event) {
        var held = new ArrayList<String>();
        held.add("the checkpoint is signed by " + key);
        held.add("all " + computed.head().size() + " entries, hashed anew, give the signed root "
                + computed.head().root());
        held.add("every stored tile is what the entries give");
        if (!computed.confirmed().isEmpty()) {
            held.add("it still begins with the "
                    + computed.confirmed().getLast().head().size() + " entries that were verified before");
        }
        if (event != null) {
            held.add("event " + event + " is entry " + computed.eventIndex());
        }
        return held;
    }

    /// The entries give the signed root, so they are right and the tile is wrong.
    private static String badTile(Flaw flaw) {
        return flaw.level() == Tile.ENTRIES
                ? flaw.what() + "; the entries themselves are right"
                : flaw.what() + " (from entry " + flaw.leaf()
                        + " on) is not what the entries give; the entries are right," + " the tile was changed";
    }

    /// The entries do not give the signed root: finds the first that is wrong.
    private String firstBad(Recomputation computed, TreeHead signed) {
        Optional<Flaw> first = computed.firstFlaw();
        if (first.isEmpty()) {
            return computed.contradicted().isEmpty()
                    ? "entries and tiles agree with each other, but not with the signed root: both were replaced; the"
                            + " first bad entry lies from " + good(computed) + " to " + (signed.size() - 1)
                    : rewritten(computed);
        }
        Flaw flaw = first.get();
        if (flaw.level() == Tile.ENTRIES) {
            return "entry " + flaw.leaf() + " is the first bad one: " + flaw.what();
        }
        if (flaw.level() > 0) {
            return "entry " + flaw.leaf() + " is the first that can be bad: the entries from there on give another hash"
                    + " than " + flaw.what() + ", and their own tile was changed with them";
        }
        boolean sure = isSigned(new StoredTiles(signed), flaw.leaf() / Tile.FULL);
        return "entry " + flaw.leaf() + idOf(flaw.leaf(), signed.size()) + " is the first bad one: it does not hash to "
                + flaw.what() + (sure ? ", which is part of the signed tree" : ", and that tile is changed too");
    }

    private static long good(Recomputation computed) {
        return computed.confirmed().isEmpty()
                ? 0
                : computed.confirmed().getLast().head().size();
    }

    private static String rewritten(Recomputation computed) {
        long until = computed.contradicted().getFirst().head().size();
        return "the log was rewritten: it does not begin with the " + until + " entries that were verified before; the"
                + " first bad entry lies from " + good(computed) + " to " + (until - 1);
    }

    /// The id in an entry, as far as it can be read.
    private String idOf(long index, long size) {
        Tile tile = Tile.in(size, Tile.ENTRIES, index / Tile.FULL).orElseThrow();
        int place = (int) (index % Tile.FULL);
        return source.read(tile)
                .map(EntryBundle::read)
                .filter(bundle -> place < bundle.size())
                .map(bundle -> ID.matcher(new String(bundle.entry(place), StandardCharsets.UTF_8)))
                .filter(Matcher::find)
                .map(found -> " (" + found.group(1) + ")")
                .orElse("");
    }

    /// The stored tiles of a tree whose root is known.
    private final class StoredTiles implements TiledTree.TileSource {
        private final TreeHead signed;

        StoredTiles(TreeHead signed) {
            this.signed = signed;
        }

        @Override
        public List<Hash> read(Tile tile) {
            ByteBuffer bytes = ByteBuffer.wrap(source.read(tile).orElse(new byte[0]));
            var hashes = new ArrayList<Hash>();
            while (bytes.remaining() >= Hash.BYTES) {
                hashes.add(Hash.readFrom(bytes));
            }
            return hashes;
        }
    }

    /// Whether a tile of leaf hashes is, whole, part of the signed tree: each of its hashes is proven by the stored
    /// tiles.
    private boolean isSigned(StoredTiles tiles, long index) {
        Tile tile = Tile.in(tiles.signed.size(), 0, index).orElseThrow();
        var tree = new TiledTree(tiles.signed.size(), tiles);
        try {
            List<Hash> hashes = tiles.read(tile);
            for (int i = 0; i < tile.width(); i++) {
                if (!tree.inclusion(tile.firstLeaf() + i).proves(hashes.get(i), tiles.signed)) {
                    return false;
                }
            }
            return true;
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            // A tile on the way is cut or missing: then nothing is proven.
            return false;
        }
    }
}
