package dev.vigil.protocol.tree;

/// What a tree is known by.
///
/// @param size how many leaves it has
/// @param root its root hash (RFC 6962 section 2.1)
public record TreeHead(long size, Hash root) {
    public TreeHead {
        if (size < 0) {
            throw new IllegalArgumentException("tree size " + size + " is below 0");
        }
        if (size == 0 && !root.equals(Hash.EMPTY_ROOT)) {
            throw new IllegalArgumentException("a tree without leaves has the root " + Hash.EMPTY_ROOT);
        }
    }
}
