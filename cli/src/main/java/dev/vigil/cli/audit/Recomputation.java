package dev.vigil.cli.audit;

import dev.vigil.protocol.tree.Checkpoint;
import dev.vigil.protocol.tree.EntryBundle;
import dev.vigil.protocol.tree.Frontier;
import dev.vigil.protocol.tree.Hash;
import dev.vigil.protocol.tree.Tile;
import dev.vigil.protocol.tree.TreeHead;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Computes a tree anew from nothing but its entries, and notes where what is stored differs from that. Holds one tile
/// of each level at a time, so the length of the log does not matter.
final class Recomputation implements Frontier.TileSink {
    private final LogSource source;
    private final long size;
    private final @Nullable String event;
    private final Map<Long, Checkpoint> remembered = new HashMap<>();
    private final Frontier tree = new Frontier();
    private final Map<Integer, List<Hash>> growing = new TreeMap<>();
    private final Map<Integer, Flaw> flaws = new TreeMap<>();
    private final List<Checkpoint> confirmed = new ArrayList<>();
    private final List<Checkpoint> contradicted = new ArrayList<>();
    private long eventIndex = -1;

    /// Something stored that is not what the entries give.
    ///
    /// @param leaf  the first entry it concerns
    /// @param level the level of the tile, or [Tile#ENTRIES]
    /// @param what  for people
    record Flaw(long leaf, int level, String what) {
        /// The first entry behind the subtree that the hash stands for.
        long end() {
            return leaf + (1L << (Math.max(level, 0) * Tile.HEIGHT));
        }
    }

    /// @param head       what was signed
    /// @param remembered earlier checkpoints of the log, none larger
    /// @param event      an id to look for; may be null
    Recomputation(LogSource source, TreeHead head, List<Checkpoint> remembered, @Nullable String event) {
        this.source = source;
        this.size = head.size();
        this.event = event == null ? null : "\"id\":\"" + event + "\"";
        remembered.forEach(checkpoint -> this.remembered.put(checkpoint.head().size(), checkpoint));
        checkMemory();
    }

    /// Reads the whole log.
    void run() {
        boolean whole = true;
        for (long bundle = 0; whole && bundle * Tile.FULL < size; bundle++) {
            whole = append(Tile.in(size, Tile.ENTRIES, bundle).orElseThrow());
        }
        growing.forEach((level, hashes) -> {
            if (!hashes.isEmpty()) {
                compare(level, Tile.hashes(tree.size(), level) - hashes.size(), hashes);
            }
        });
    }

    /// Size and root that the entries give; a smaller size when some are missing.
    TreeHead head() {
        return tree.head();
    }

    /// Where the first difference lies. A wrong entry makes every hash above it wrong too, so of two flaws the lower
    /// one counts, unless the higher one lies wholly before it.
    Optional<Flaw> firstFlaw() {
        return flaws.values().stream().reduce((lower, higher) -> higher.end() <= lower.leaf() ? higher : lower);
    }

    /// Earlier checkpoints that the entries confirm.
    List<Checkpoint> confirmed() {
        return confirmed;
    }

    /// Earlier checkpoints that the entries contradict.
    List<Checkpoint> contradicted() {
        return contradicted;
    }

    /// Where the event stands; -1 when it was not found or not looked for.
    long eventIndex() {
        return eventIndex;
    }

    @Override
    public void put(int level, long index, Hash hash) {
        List<Hash> hashes = growing.computeIfAbsent(level, any -> new ArrayList<>(Tile.FULL));
        hashes.add(hash);
        if (hashes.size() == Tile.FULL) {
            compare(level, index + 1 - Tile.FULL, hashes);
            hashes.clear();
        }
    }

    private boolean append(Tile tile) {
        Optional<byte[]> file = source.read(tile);
        if (file.isEmpty()) {
            note(
                    tile.firstLeaf(),
                    Tile.ENTRIES,
                    tile.path() + " is missing: entries " + tile.firstLeaf() + " to "
                            + (tile.firstLeaf() + tile.width() - 1) + " cannot be shown");
            return false;
        }
        EntryBundle bundle = EntryBundle.read(file.get());
        for (int i = 0; i < Math.min(bundle.size(), tile.width()); i++) {
            byte[] entry = bundle.entry(i);
            if (event != null && eventIndex < 0 && new String(entry, StandardCharsets.UTF_8).contains(event)) {
                eventIndex = tree.size();
            }
            tree.append(Hash.leaf(entry), this);
            checkMemory();
        }
        if (bundle.size() < tile.width()) {
            note(
                    tree.size(),
                    Tile.ENTRIES,
                    tile.path() + " ends within entry " + tree.size() + ": it holds " + bundle.size() + " of "
                            + tile.width() + " entries");
            return false;
        }
        if (bundle.size() > tile.width() || bundle.restBytes() > 0) {
            note(tree.size() - 1, Tile.ENTRIES, tile.path() + " goes on after its last entry, " + (tree.size() - 1));
        }
        return true;
    }

    private void checkMemory() {
        Checkpoint earlier = remembered.remove(tree.size());
        if (earlier != null) {
            (earlier.head().equals(tree.head()) ? confirmed : contradicted).add(earlier);
        }
    }

    private void compare(int level, long first, List<Hash> computed) {
        Tile tile = Tile.in(size, level, first / Tile.FULL).orElseThrow();
        Optional<byte[]> file = source.read(tile);
        long leaf = first << (level * Tile.HEIGHT);
        if (file.isEmpty()) {
            note(leaf, level, tile.path() + " is missing");
            return;
        }
        var stored = ByteBuffer.wrap(file.get());
        for (int i = 0; i < computed.size(); i++) {
            if (stored.remaining() < Hash.BYTES) {
                note(leaf(first + i, level), level, tile.path() + " ends within hash " + i + " of " + tile.width());
                return;
            }
            if (!Hash.readFrom(stored).equals(computed.get(i))) {
                note(leaf(first + i, level), level, tile.path() + ", hash " + i);
                return;
            }
        }
        if (computed.size() == tile.width() && stored.hasRemaining()) {
            note(leaf, level, tile.path() + " goes on after its " + tile.width() + " hashes");
        }
    }

    private static long leaf(long hash, int level) {
        return hash << (level * Tile.HEIGHT);
    }

    private void note(long leaf, int level, String what) {
        flaws.putIfAbsent(level, new Flaw(leaf, level, what));
    }
}
