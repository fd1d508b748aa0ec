package dev.vigil.protocol.tree;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A tree of a given size whose hashes lie in tiles; computes root and proofs from them. Reads only tiles that exist at
/// that size, each once. Not safe for use by several threads.
public final class TiledTree {
    /// Where the tiles are.
    @FunctionalInterface
    public interface TileSource {
        /// The hashes of a tile, exactly as many as it is wide.
        List<Hash> read(Tile tile);
    }

    private final long size;
    private final TileSource source;
    private final Map<Tile, List<Hash>> seen = new HashMap<>();

    /// A tree over tiles.
    ///
    /// @param size   how many leaves the tree has
    /// @param source its tiles
    public TiledTree(long size, TileSource source) {
        if (size < 0) {
            throw new IllegalArgumentException("tree size " + size + " is below 0");
        }
        this.size = size;
        this.source = source;
    }

    /// Size and root.
    public TreeHead head() {
        return frontier().head();
    }

    /// The right edge, to append to it.
    public Frontier frontier() {
        var roots = new ArrayList<Hash>();
        long start = 0;
        for (int height = Long.SIZE - 2; height >= 0; height--) {
            if (((size >>> height) & 1) == 1) {
                roots.add(full(height, start >>> height));
                start += 1L << height;
            }
        }
        return new Frontier(size, roots);
    }

    /// Proves that the leaf at `index` is in this tree.
    public InclusionProof inclusion(long index) {
        if (index < 0 || index >= size) {
            throw new IllegalArgumentException("no leaf " + index + " in a tree of size " + size);
        }
        var path = new ArrayList<Hash>();
        long start = 0;
        long end = size;
        while (end - start > 1) {
            long middle = start + split(end - start);
            if (index < middle) {
                path.add(subtree(middle, end));
                end = middle;
            } else {
                path.add(subtree(start, middle));
                start = middle;
            }
        }
        return new InclusionProof(index, size, path.reversed());
    }

    /// Proves that this tree begins with the one of size `from`.
    public ConsistencyProof consistency(long from) {
        if (from < 0 || from > size) {
            throw new IllegalArgumentException("no tree of size " + from + " within one of size " + size);
        }
        var path = new ArrayList<Hash>();
        long start = 0;
        long end = size;
        while (from != 0 && end != from) {
            long middle = start + split(end - start);
            if (from <= middle) {
                path.add(subtree(middle, end));
                end = middle;
            } else {
                path.add(subtree(start, middle));
                start = middle;
            }
        }
        // RFC 6962 section 2.1.2: the subtree where the way ends is left out when it is the whole earlier tree.
        if (start != 0) {
            path.add(subtree(start, end));
        }
        return new ConsistencyProof(from, size, path.reversed());
    }

    private Hash subtree(long start, long end) {
        long leaves = end - start;
        if (Long.bitCount(leaves) == 1) {
            int height = Long.numberOfTrailingZeros(leaves);
            return full(height, start >>> height);
        }
        long middle = start + split(leaves);
        return Hash.node(subtree(start, middle), subtree(middle, end));
    }

    private Hash full(int height, long index) {
        int level = height / Tile.HEIGHT;
        int below = height % Tile.HEIGHT;
        long first = index << below;
        List<Hash> tile = tile(level, first / Tile.FULL);
        int start = (int) (first % Tile.FULL);
        return fold(tile.subList(start, start + (1 << below)));
    }

    private List<Hash> tile(int level, long index) {
        Tile tile = Tile.in(size, level, index)
                .orElseThrow(() -> new IllegalStateException("no tile " + level + "/" + index + " at size " + size));
        return seen.computeIfAbsent(tile, wanted -> {
            List<Hash> hashes = source.read(wanted);
            if (hashes.size() != wanted.width()) {
                throw new IllegalArgumentException(wanted.path() + " holds " + hashes.size() + " hashes");
            }
            return hashes;
        });
    }

    private static Hash fold(List<Hash> row) {
        List<Hash> level = row;
        while (level.size() > 1) {
            var above = new ArrayList<Hash>(level.size() / 2);
            for (int i = 0; i < level.size(); i += 2) {
                above.add(Hash.node(level.get(i), level.get(i + 1)));
            }
            level = above;
        }
        return level.getFirst();
    }

    // The largest power of two below n (RFC 6962 section 2.1).
    private static long split(long n) {
        return Long.highestOneBit(n - 1);
    }
}
