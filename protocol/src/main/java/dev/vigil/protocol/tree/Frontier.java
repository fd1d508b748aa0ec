package dev.vigil.protocol.tree;

import java.util.ArrayList;
import java.util.List;

/// The right edge of a growing tree: the roots of its full subtrees, largest first, one for each 1 in the binary form
/// of its size. That is all it takes to append leaves and to know the root. Not safe for use by several threads.
public final class Frontier {
    /// Hears each hash that belongs into a tile the moment it is final.
    @FunctionalInterface
    public interface TileSink {
        /// A sink for those who want the root only.
        TileSink NONE = (level, index, hash) -> {};

        /// Takes the next hash of a level.
        ///
        /// @param level the tile level
        /// @param index the place of the hash within its level, counted from the first leaf
        /// @param hash  the hash of a full subtree of `256^level` leaves
        void put(int level, long index, Hash hash);
    }

    private final ArrayList<Hash> roots;
    private long size;

    /// An empty tree.
    public Frontier() {
        this(0, List.of());
    }

    /// A tree that already has leaves.
    ///
    /// @param roots the roots of its full subtrees, largest first
    public Frontier(long size, List<Hash> roots) {
        if (size < 0 || Long.bitCount(size) != roots.size()) {
            throw new IllegalArgumentException("a tree of size " + size + " has " + Long.bitCount(size)
                    + " full subtrees on its edge, not " + roots.size());
        }
        this.size = size;
        this.roots = new ArrayList<>(roots);
    }

    /// Appends one leaf.
    public void append(Hash leaf, TileSink sink) {
        Hash subtree = leaf;
        int height = 0;
        sink.put(0, size, leaf);
        for (long edge = size; (edge & 1) == 1; edge >>>= 1) {
            subtree = Hash.node(roots.removeLast(), subtree);
            height++;
            if (height % Tile.HEIGHT == 0) {
                sink.put(height / Tile.HEIGHT, size >>> height, subtree);
            }
        }
        roots.add(subtree);
        size++;
    }

    /// How many leaves it has.
    public long size() {
        return size;
    }

    /// Size and root of the tree as it is now.
    public TreeHead head() {
        if (roots.isEmpty()) {
            return new TreeHead(0, Hash.EMPTY_ROOT);
        }
        Hash root = roots.getLast();
        for (int i = roots.size() - 2; i >= 0; i--) {
            root = Hash.node(roots.get(i), root);
        }
        return new TreeHead(size, root);
    }
}
