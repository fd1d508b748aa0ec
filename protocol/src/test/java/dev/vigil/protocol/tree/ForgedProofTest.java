package dev.vigil.protocol.tree;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Each proof of each small tree is changed in every way a forger has; none may pass.
class ForgedProofTest {
    private static final int SIZE_MAX = 20;
    private static final List<Hash> LEAVES = TreeTest.leaves(SIZE_MAX + 1);
    private static final MemoryTiles TILES = MemoryTiles.of(LEAVES);
    private static final Hash STRANGER = Hash.leaf(new byte[] {9, 9, 9});

    @Test
    void an_inclusion_proof_with_any_bit_flipped_proves_nothing() {
        forEachInclusion((proof, head) -> {
            Hash leaf = LEAVES.get((int) proof.index());
            for (int i = 0; i < proof.path().size(); i++) {
                for (Hash flipped : everyBitFlipped(proof.path().get(i))) {
                    assertRefused(with(proof, replaced(proof.path(), i, flipped)), leaf, head);
                }
            }
            everyBitFlipped(leaf).forEach(flipped -> assertRefused(proof, flipped, head));
            everyBitFlipped(head.root())
                    .forEach(flipped -> assertRefused(proof, leaf, new TreeHead(head.size(), flipped)));
        });
    }

    @Test
    void an_inclusion_proof_for_another_place_or_size_proves_nothing() {
        forEachInclusion((proof, head) -> {
            Hash leaf = LEAVES.get((int) proof.index());
            for (long index = -2; index <= SIZE_MAX + 2; index++) {
                if (index != proof.index()) {
                    assertRefused(new InclusionProof(index, proof.treeSize(), proof.path()), leaf, head);
                }
            }
            for (long size = -2; size <= SIZE_MAX + 2; size++) {
                if (size != proof.treeSize()) {
                    assertRefused(new InclusionProof(proof.index(), size, proof.path()), leaf, head);
                }
            }
            for (int other = 0; other < head.size(); other++) {
                if (other != proof.index()) {
                    assertRefused(proof, LEAVES.get(other), head);
                }
            }
        });
    }

    @Test
    void an_inclusion_proof_with_siblings_swapped_added_or_dropped_proves_nothing() {
        forEachInclusion((proof, head) -> otherPaths(proof.path(), head.root())
                .forEach(path -> assertRefused(with(proof, path), LEAVES.get((int) proof.index()), head)));
    }

    @Test
    void a_consistency_proof_with_any_bit_flipped_proves_nothing() {
        forEachConsistency((proof, earlier, later) -> {
            for (int i = 0; i < proof.path().size(); i++) {
                for (Hash flipped : everyBitFlipped(proof.path().get(i))) {
                    assertRefused(
                            new ConsistencyProof(proof.from(), proof.to(), replaced(proof.path(), i, flipped)),
                            earlier,
                            later);
                }
            }
            everyBitFlipped(earlier.root())
                    .forEach(flipped -> assertRefused(proof, new TreeHead(earlier.size(), flipped), later));
            everyBitFlipped(later.root())
                    .forEach(flipped -> assertRefused(proof, earlier, new TreeHead(later.size(), flipped)));
        });
    }

    @Test
    void a_consistency_proof_between_other_sizes_proves_nothing() {
        forEachConsistency((proof, earlier, later) -> {
            for (long size = -2; size <= SIZE_MAX + 2; size++) {
                if (size != proof.from()) {
                    assertRefused(new ConsistencyProof(size, proof.to(), proof.path()), earlier, later);
                }
                if (size != proof.to()) {
                    assertRefused(new ConsistencyProof(proof.from(), size, proof.path()), earlier, later);
                }
            }
            assertRefused(proof, later, earlier);
            assertRefused(new ConsistencyProof(proof.to(), proof.from(), proof.path()), later, earlier);
        });
    }

    @Test
    void a_consistency_proof_with_hashes_swapped_added_or_dropped_proves_nothing() {
        forEachConsistency((proof, earlier, later) -> otherPaths(proof.path(), later.root())
                .forEach(path -> assertRefused(new ConsistencyProof(proof.from(), proof.to(), path), earlier, later)));
    }

    @Test
    void a_fork_has_no_consistency_proof() {
        for (int size = 2; size <= SIZE_MAX; size++) {
            for (int changed = 0; changed < size; changed++) {
                var forked = new ArrayList<>(LEAVES.subList(0, size));
                forked.set(changed, STRANGER);
                var fork = new TiledTree(size, MemoryTiles.of(forked));
                for (int from = changed + 1; from < size; from++) {
                    assertRefused(fork.consistency(from), new TiledTree(from, TILES).head(), fork.head());
                }
            }
        }
    }

    private interface Inclusion {
        void check(InclusionProof proof, TreeHead head);
    }

    private interface Consistency {
        void check(ConsistencyProof proof, TreeHead earlier, TreeHead later);
    }

    private static void forEachInclusion(Inclusion check) {
        for (int size = 1; size <= SIZE_MAX; size++) {
            var tree = new TiledTree(size, TILES);
            for (int index = 0; index < size; index++) {
                check.check(tree.inclusion(index), tree.head());
            }
        }
    }

    private static void forEachConsistency(Consistency check) {
        for (int size = 2; size <= SIZE_MAX; size++) {
            var tree = new TiledTree(size, TILES);
            for (int from = 1; from < size; from++) {
                check.check(tree.consistency(from), new TiledTree(from, TILES).head(), tree.head());
            }
        }
    }

    private static void assertRefused(InclusionProof proof, Hash leaf, TreeHead head) {
        assertThat(proof.proves(leaf, head)).as("%s of %s", proof, head).isFalse();
    }

    private static void assertRefused(ConsistencyProof proof, TreeHead earlier, TreeHead later) {
        assertThat(proof.proves(earlier, later))
                .as("%s from %s to %s", proof, earlier, later)
                .isFalse();
    }

    private static InclusionProof with(InclusionProof proof, List<Hash> path) {
        return new InclusionProof(proof.index(), proof.treeSize(), path);
    }

    private static List<List<Hash>> otherPaths(List<Hash> path, Hash root) {
        var others = new ArrayList<List<Hash>>();
        for (int i = 0; i <= path.size(); i++) {
            for (Hash extra : List.of(STRANGER, root)) {
                var longer = new ArrayList<>(path);
                longer.add(i, extra);
                others.add(longer);
            }
        }
        for (int i = 0; i < path.size(); i++) {
            var shorter = new ArrayList<>(path);
            shorter.remove(i);
            others.add(shorter);
            var doubled = new ArrayList<>(path);
            doubled.add(i, path.get(i));
            others.add(doubled);
            for (int j = i + 1; j < path.size(); j++) {
                var swapped = new ArrayList<>(path);
                Collections.swap(swapped, i, j);
                others.add(swapped);
            }
        }
        return others;
    }

    private static List<Hash> replaced(List<Hash> path, int index, Hash hash) {
        var changed = new ArrayList<>(path);
        changed.set(index, hash);
        return changed;
    }

    private static List<Hash> everyBitFlipped(Hash hash) {
        var flipped = new ArrayList<Hash>();
        for (int bit = 0; bit < 8 * Hash.BYTES; bit++) {
            byte[] bytes = hash.bytes();
            bytes[bit / 8] ^= (byte) (1 << bit % 8);
            flipped.add(Hash.of(bytes));
        }
        return flipped;
    }
}
