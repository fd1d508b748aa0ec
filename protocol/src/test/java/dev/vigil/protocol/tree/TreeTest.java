package dev.vigil.protocol.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TreeTest {
    private static final HexFormat HEX = HexFormat.of();

    // The reference vectors that Certificate Transparency's implementations of RFC 6962 share.
    private static final List<String> ENTRIES =
            List.of("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f");
    private static final List<String> ROOTS = List.of(
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");

    @Test
    void the_reference_trees_have_the_reference_roots() {
        var frontier = new Frontier();
        assertThat(frontier.head().root()).isEqualTo(hash(ROOTS.getFirst()));
        for (int i = 0; i < ENTRIES.size(); i++) {
            frontier.append(Hash.leaf(HEX.parseHex(ENTRIES.get(i))), Frontier.TileSink.NONE);

            assertThat(frontier.head()).isEqualTo(new TreeHead(i + 1, hash(ROOTS.get(i + 1))));
        }
    }

    @Test
    void the_reference_inclusion_proof_of_leaf_0_in_8() {
        List<Hash> leaves =
                ENTRIES.stream().map(entry -> Hash.leaf(HEX.parseHex(entry))).toList();

        InclusionProof proof = new TiledTree(8, MemoryTiles.of(leaves)).inclusion(0);

        assertThat(proof.path())
                .containsExactly(
                        hash("96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"),
                        hash("5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"),
                        hash("6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"));
        assertThat(proof.proves(leaves.getFirst(), new TreeHead(8, hash(ROOTS.get(8)))))
                .isTrue();
    }

    @Test
    void every_proof_of_every_small_tree_is_the_one_the_rfc_defines_and_is_accepted() {
        List<Hash> leaves = leaves(66);
        MemoryTiles tiles = MemoryTiles.of(leaves);
        for (int size = 0; size <= leaves.size(); size++) {
            List<Hash> part = leaves.subList(0, size);
            var tree = new TiledTree(size, tiles);
            TreeHead head = tree.head();
            assertThat(head.root()).isEqualTo(Rfc6962.mth(part));
            for (int index = 0; index < size; index++) {
                InclusionProof proof = tree.inclusion(index);
                assertThat(proof.path()).isEqualTo(Rfc6962.path(index, part));
                assertThat(proof.proves(part.get(index), head)).isTrue();
            }
            for (int from = 0; from <= size; from++) {
                ConsistencyProof proof = tree.consistency(from);
                assertThat(proof.path()).isEqualTo(from == 0 ? List.of() : Rfc6962.proof(from, part));
                assertThat(proof.proves(new TiledTree(from, tiles).head(), head))
                        .isTrue();
            }
        }
    }

    @Test
    void proofs_across_the_edges_of_tiles_are_the_ones_the_rfc_defines() {
        List<Hash> leaves = leaves(66_000);
        MemoryTiles tiles = MemoryTiles.of(leaves);
        int[] edges = {1, 255, 256, 257, 511, 512, 513, 4_095, 65_535, 65_536, 65_537, 65_792, 66_000};
        for (int size : edges) {
            List<Hash> part = leaves.subList(0, size);
            var tree = new TiledTree(size, tiles);
            TreeHead head = tree.head();
            assertThat(head.root()).isEqualTo(Rfc6962.mth(part));
            for (int edge : edges) {
                if (edge <= size) {
                    assertThat(tree.inclusion(edge - 1).path()).isEqualTo(Rfc6962.path(edge - 1, part));
                    assertThat(tree.inclusion(edge - 1).proves(part.get(edge - 1), head))
                            .isTrue();
                    assertThat(tree.consistency(edge).path()).isEqualTo(Rfc6962.proof(edge, part));
                }
            }
        }
    }

    @Test
    void a_tree_read_back_from_its_tiles_goes_on_as_if_it_had_never_stopped() {
        List<Hash> leaves = leaves(700);
        for (int stop : new int[] {0, 1, 3, 255, 256, 257, 512, 699}) {
            MemoryTiles tiles = MemoryTiles.of(leaves.subList(0, stop));
            Frontier frontier = new TiledTree(stop, tiles).frontier();
            leaves.subList(stop, 700).forEach(leaf -> frontier.append(leaf, tiles));

            assertThat(frontier.head()).isEqualTo(new TreeHead(700, Rfc6962.mth(leaves)));
            assertThat(new TiledTree(700, tiles).head()).isEqualTo(frontier.head());
        }
    }

    @Test
    void what_is_outside_the_tree_has_no_proof() {
        var tree = new TiledTree(5, MemoryTiles.of(leaves(5)));

        assertThatThrownBy(() -> tree.inclusion(5)).hasMessageContaining("no leaf 5 in a tree of size 5");
        assertThatThrownBy(() -> tree.inclusion(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> tree.consistency(6)).hasMessageContaining("no tree of size 6");
        assertThatThrownBy(() -> new Frontier(3, List.of())).hasMessageContaining("2 full subtrees");
        assertThatThrownBy(() -> new TreeHead(0, hash(ROOTS.get(1)))).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void a_tile_of_the_wrong_width_is_refused() {
        TiledTree.TileSource narrow = tile -> leaves(tile.width() - 1);

        assertThatThrownBy(() -> new TiledTree(5, narrow).head()).hasMessageContaining("tile/0/000.p/5 holds 4 hashes");
    }

    static List<Hash> leaves(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> Hash.leaf(ByteBuffer.allocate(4).putInt(i).array()))
                .toList();
    }

    static Hash hash(String hex) {
        return Hash.of(HEX.parseHex(hex));
    }
}
