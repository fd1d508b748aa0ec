package dev.vigil.protocol.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TileTest {
    @ParameterizedTest
    @CsvSource({
        "0, 0, 256, tile/0/000",
        "0, 0, 1, tile/0/000.p/1",
        "1, 5, 255, tile/1/005.p/255",
        "0, 1234067, 256, tile/0/x001/x234/067",
        "-1, 1234067, 17, tile/entries/x001/x234/067.p/17",
        "63, 999, 256, tile/63/999",
        "0, 1000, 256, tile/0/x001/000",
        "-1, 999999999999999999, 256, tile/entries/x999/x999/x999/x999/x999/999"
    })
    void a_path_is_written_and_read_back(int level, long index, int width, String path) {
        var tile = new Tile(level, index, width);

        assertThat(tile.path()).isEqualTo(path);
        assertThat(Tile.parse(path)).contains(tile);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "tile/0",
                "tile/0/0",
                "tile/0/00",
                "tile/0/0000",
                "tile/00/000",
                "tile/64/000",
                "tile/-1/000",
                "tile/0/001/000",
                "tile/0/x000/001",
                "tile/0/x001",
                "tile/0/000.p/0",
                "tile/0/000.p/256",
                "tile/0/000.p/01",
                "tile/0/000.p/",
                "tile/0/000/",
                "/tile/0/000",
                "tile/0/000.p/1/",
                "tile/data/000",
                "tile/0/../000",
                "tile/0/x001/x000/x000/x000/x000/x000/000",
                "tile/0/\u0661\u0661\u0661"
            })
    void any_other_path_is_refused(String path) {
        assertThat(Tile.parse(path)).isEmpty();
    }

    @Test
    void the_example_of_the_specification_has_its_tiles() {
        long size = 70_000;

        assertThat(Tile.in(size, 0, 272)).contains(new Tile(0, 272, 256));
        assertThat(Tile.in(size, 0, 273)).contains(new Tile(0, 273, 112));
        assertThat(Tile.in(size, 0, 274)).isEmpty();
        assertThat(Tile.in(size, Tile.ENTRIES, 273)).contains(new Tile(Tile.ENTRIES, 273, 112));
        assertThat(Tile.in(size, 1, 0)).contains(new Tile(1, 0, 256));
        assertThat(Tile.in(size, 1, 1)).contains(new Tile(1, 1, 17));
        assertThat(Tile.in(size, 2, 0)).contains(new Tile(2, 0, 1));
        assertThat(Tile.in(size, 3, 0)).isEmpty();
        assertThat(Tile.in(size, 63, 0)).isEmpty();
        assertThat(Tile.in(256, 0, 0)).contains(new Tile(0, 0, 256));
        assertThat(Tile.in(256, 1, 0)).contains(new Tile(1, 0, 1));
    }

    @Test
    void an_index_that_overflows_is_outside_every_tree() {
        assertThat(Tile.in(70_000, 0, 999_999_999_999_999_999L)).isEmpty();
        assertThat(Tile.in(0, 0, 0)).isEmpty();
    }

    @Test
    void a_tile_knows_its_first_leaf() {
        assertThat(new Tile(0, 3, 256).firstLeaf()).isEqualTo(768);
        assertThat(new Tile(1, 1, 17).firstLeaf()).isEqualTo(65_536);
        assertThat(new Tile(Tile.ENTRIES, 3, 1).firstLeaf()).isEqualTo(768);
    }

    @Test
    void a_bundle_is_written_and_read_back() {
        List<byte[]> entries = IntStream.range(0, 256)
                .mapToObj(i -> new byte[(i * 257) % 65_536])
                .toList();

        EntryBundle bundle = EntryBundle.read(EntryBundle.write(entries));

        assertThat(bundle.size()).isEqualTo(256);
        assertThat(bundle.restBytes()).isZero();
        assertThat(IntStream.range(0, 256).mapToObj(bundle::entry)).containsExactlyElementsOf(entries);
        assertThat(EntryBundle.read(bundle.first(17)).size()).isEqualTo(17);
    }

    @Test
    void an_entry_of_65_535_bytes_fits_and_one_more_is_refused() {
        byte[] largest = new byte[65_535];
        byte[] larger = new byte[65_536];

        assertThat(EntryBundle.read(EntryBundle.write(List.of(largest))).entry(0))
                .isEqualTo(largest);
        assertThatThrownBy(() -> EntryBundle.write(List.of(larger))).hasMessageContaining("at most 65535");
    }

    @Test
    void a_cut_bundle_is_read_up_to_the_cut() {
        byte[] file = EntryBundle.write(List.of(new byte[] {1, 2, 3}, new byte[] {4, 5}, new byte[0]));
        int[] whole = {0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3};
        int[] rest = {0, 1, 2, 3, 4, 0, 1, 2, 3, 0, 1, 0};
        for (int length = 0; length <= file.length; length++) {
            EntryBundle bundle = EntryBundle.read(java.util.Arrays.copyOf(file, length));

            assertThat(bundle.size()).as("entries in %d bytes", length).isEqualTo(whole[length]);
            assertThat(bundle.restBytes()).as("rest of %d bytes", length).isEqualTo(rest[length]);
        }
    }

    @Test
    void a_bundle_of_more_entries_than_a_tile_holds_is_read_too() {
        List<byte[]> entries =
                IntStream.range(0, 1000).mapToObj(i -> new byte[] {(byte) i}).toList();

        assertThat(EntryBundle.read(EntryBundle.write(entries)).size()).isEqualTo(1000);
    }
}
