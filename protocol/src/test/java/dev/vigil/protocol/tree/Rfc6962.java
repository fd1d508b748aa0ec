package dev.vigil.protocol.tree;

import java.util.ArrayList;
import java.util.List;

/// RFC 6962 section 2.1 as it is written there: slow, recursive, and independent of the code under test.
final class Rfc6962 {
    private Rfc6962() {}

    static Hash mth(List<Hash> leaves) {
        int n = leaves.size();
        if (n == 0) {
            return Hash.EMPTY_ROOT;
        }
        if (n == 1) {
            return leaves.getFirst();
        }
        int k = split(n);
        return Hash.node(mth(leaves.subList(0, k)), mth(leaves.subList(k, n)));
    }

    static List<Hash> path(int m, List<Hash> leaves) {
        int n = leaves.size();
        if (n == 1) {
            return List.of();
        }
        int k = split(n);
        return m < k
                ? plus(path(m, leaves.subList(0, k)), mth(leaves.subList(k, n)))
                : plus(path(m - k, leaves.subList(k, n)), mth(leaves.subList(0, k)));
    }

    static List<Hash> proof(int m, List<Hash> leaves) {
        return subproof(m, leaves, true);
    }

    private static List<Hash> subproof(int m, List<Hash> leaves, boolean whole) {
        int n = leaves.size();
        if (m == n) {
            return whole ? List.of() : List.of(mth(leaves));
        }
        int k = split(n);
        return m <= k
                ? plus(subproof(m, leaves.subList(0, k), whole), mth(leaves.subList(k, n)))
                : plus(subproof(m - k, leaves.subList(k, n), false), mth(leaves.subList(0, k)));
    }

    private static List<Hash> plus(List<Hash> path, Hash last) {
        var longer = new ArrayList<>(path);
        longer.add(last);
        return longer;
    }

    private static int split(int n) {
        int k = 1;
        while (2 * k < n) {
            k *= 2;
        }
        return k;
    }
}
