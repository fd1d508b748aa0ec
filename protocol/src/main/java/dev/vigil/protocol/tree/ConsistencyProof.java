package dev.vigil.protocol.tree;

import java.util.List;

/// That a tree begins with all leaves of an earlier, smaller one (RFC 6962 section 2.1.2).
///
/// @param from size of the earlier tree
/// @param to   size of the later tree
/// @param path the hashes that lead to both roots
public record ConsistencyProof(long from, long to, List<Hash> path) {
    public ConsistencyProof {
        path = List.copyOf(path);
    }

    /// Whether it proves that `later` begins with all leaves of `earlier`.
    public boolean proves(TreeHead earlier, TreeHead later) {
        if (from != earlier.size() || to != later.size() || from > to) {
            return false;
        }
        if (from == to) {
            return path.isEmpty() && earlier.root().equals(later.root());
        }
        if (from == 0) {
            return path.isEmpty();
        }
        return leadsToBoth(earlier.root(), later.root());
    }

    // RFC 9162 section 2.1.4.2, which gives the algorithm for the proofs of RFC 6962.
    private boolean leadsToBoth(Hash earlier, Hash later) {
        boolean fullSubtree = Long.bitCount(from) == 1;
        if (!fullSubtree && path.isEmpty()) {
            return false;
        }
        long at = (from - 1) >>> Long.numberOfTrailingZeros(from);
        long last = (to - 1) >>> Long.numberOfTrailingZeros(from);
        Hash earlierRoot = fullSubtree ? earlier : path.getFirst();
        Hash laterRoot = earlierRoot;
        for (Hash beside : fullSubtree ? path : path.subList(1, path.size())) {
            if (last == 0) {
                return false;
            }
            if ((at & 1) == 1 || at == last) {
                earlierRoot = Hash.node(beside, earlierRoot);
                laterRoot = Hash.node(beside, laterRoot);
                while ((at & 1) == 0 && at != 0) {
                    at >>>= 1;
                    last >>>= 1;
                }
            } else {
                laterRoot = Hash.node(laterRoot, beside);
            }
            at >>>= 1;
            last >>>= 1;
        }
        return last == 0 && earlierRoot.equals(earlier) && laterRoot.equals(later);
    }
}
