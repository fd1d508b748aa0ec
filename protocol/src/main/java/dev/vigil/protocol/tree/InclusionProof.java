package dev.vigil.protocol.tree;

import java.util.List;

/// That one leaf stands at one place of a tree (RFC 6962 section 2.1.1).
///
/// @param index    the place of the leaf, from 0
/// @param treeSize the size of the tree it is proven in
/// @param path     the hashes beside the way from the leaf to the root, nearest to the leaf first
public record InclusionProof(long index, long treeSize, List<Hash> path) {
    public InclusionProof {
        path = List.copyOf(path);
    }

    /// Whether it proves that `leaf` stands at its index under `head`. The head must be one the caller trusts, such as
    /// that of a checkpoint whose signature was verified.
    public boolean proves(Hash leaf, TreeHead head) {
        if (treeSize != head.size() || index < 0 || index >= treeSize) {
            return false;
        }
        // RFC 9162 section 2.1.3.2, which gives the algorithm for the proofs of RFC 6962.
        long at = index;
        long last = treeSize - 1;
        Hash root = leaf;
        for (Hash beside : path) {
            if (last == 0) {
                return false;
            }
            if ((at & 1) == 1 || at == last) {
                root = Hash.node(beside, root);
                while ((at & 1) == 0 && at != 0) {
                    at >>>= 1;
                    last >>>= 1;
                }
            } else {
                root = Hash.node(root, beside);
            }
            at >>>= 1;
            last >>>= 1;
        }
        return last == 0 && root.equals(head.root());
    }
}
