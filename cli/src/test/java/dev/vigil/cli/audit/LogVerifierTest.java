package dev.vigil.cli.audit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.protocol.tree.EntryBundle;
import dev.vigil.protocol.tree.Hash;
import dev.vigil.protocol.tree.Tile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LogVerifierTest {
    /// Two bundles, a full and a partial tile of level 0, and one of level 1.
    private static final int SIZE = 259;

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 255, 256, 257, 511, 512, 513, 70_000})
    void a_sound_log_is_verified_whatever_its_size(int size) {
        TestLog log = TestLog.of(size);

        assertThat(verify(log)).isInstanceOfSatisfying(Verdict.Verified.class, verified -> {
            assertThat(verified.checkpoint().head().size()).isEqualTo(size);
            assertThat(String.join("\n", verified.held())).contains("all " + size + " entries");
        });
    }

    @ParameterizedTest
    @CsvSource({"8, 1", "259, 67"})
    void each_changed_byte_of_each_entry_is_named(int size, int step) {
        TestLog log = TestLog.of(size);
        for (String path : paths(log, "tile/entries/")) {
            EntryBundle bundle = EntryBundle.read(bytes(log, path));
            int first = path.contains("/000") ? 0 : Tile.FULL;
            for (int entry = 0; entry < bundle.size(); entry++) {
                for (int at = bundle.first(entry).length; at < bundle.first(entry + 1).length; at += step) {
                    assertNames(log, path, at, "entry " + (first + entry) + " ", "is the first bad one");
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"8, 1", "259, 67"})
    void each_changed_byte_of_each_tile_is_named(int size, int step) {
        TestLog log = TestLog.of(size);
        for (String path : paths(log, "tile/0/", "tile/1/")) {
            for (int at = 0; at < bytes(log, path).length; at += step) {
                assertNames(log, path, at, path + ", hash " + at / Hash.BYTES, "the tile was changed");
            }
        }
    }

    @Test
    void each_changed_byte_of_the_checkpoint_is_noticed() {
        TestLog log = TestLog.of(SIZE);
        for (int at = 0; at < log.checkpoint().length; at++) {
            assertNames(log, "checkpoint", at, "checkpoint");
        }
    }

    @Test
    void an_entry_changed_together_with_its_hash_is_still_found() {
        TestLog log = TestLog.of(70_000);
        List<byte[]> entries = new ArrayList<>(log.entries());
        entries.set(40_000, "{}".getBytes(UTF_8));
        TestLog forged = TestLog.of(entries, TestLog.SIGNER);
        int bundle = 40_000 / Tile.FULL;
        for (String path : List.of("tile/entries/" + bundle, "tile/0/" + bundle)) {
            log.files().put(path, bytes(forged, path));
        }

        assertThat(tampering(verify(log)))
                .contains("entry " + bundle * Tile.FULL + " is the first that can be bad")
                .contains("tile/1/000, hash " + bundle);
    }

    @Test
    void entries_and_tiles_replaced_together_do_not_give_the_signed_root() {
        TestLog log = TestLog.of(SIZE);
        byte[] checkpoint = log.checkpoint();
        List<byte[]> entries = new ArrayList<>(log.entries());
        entries.set(7, new byte[] {1});
        TestLog forged = TestLog.of(entries, TestLog.SIGNER);
        forged.files().put("checkpoint", checkpoint);

        assertThat(tampering(verify(forged))).contains("both were replaced").contains("from 0 to 258");
    }

    @Test
    void a_deleted_an_added_and_a_swapped_entry_are_named() {
        for (int index : new int[] {0, 255, 257}) {
            List<byte[]> deleted = new ArrayList<>(TestLog.of(SIZE).entries());
            deleted.remove(index);
            assertStored(deleted, index);
            List<byte[]> added = new ArrayList<>(TestLog.of(SIZE).entries());
            added.add(index, "{}".getBytes(UTF_8));
            assertStored(added, index);
            List<byte[]> swapped = new ArrayList<>(TestLog.of(SIZE).entries());
            Collections.swap(swapped, index, index + 1);
            assertStored(swapped, index);
        }
    }

    @Test
    void a_bundle_or_tile_that_is_cut_anywhere_is_named() {
        TestLog log = TestLog.of(SIZE);
        byte[] bundle = bytes(log, "tile/entries/001.p/3");
        for (int length = 0; length < bundle.length; length++) {
            log.files().put("tile/entries/001.p/3", Arrays.copyOf(bundle, length));
            int whole = EntryBundle.read(Arrays.copyOf(bundle, length)).size();
            assertThat(tampering(verify(log))).contains("entry " + (256 + whole) + " is the first bad one");
        }
        log.files().put("tile/entries/001.p/3", Arrays.copyOf(bundle, bundle.length + 1));
        assertThat(tampering(verify(log))).contains("tile/entries/001.p/3 goes on after its last entry, 258");

        TestLog other = TestLog.of(SIZE);
        byte[] tile = bytes(other, "tile/0/001.p/3");
        for (int length = 0; length < tile.length; length++) {
            other.files().put("tile/0/001.p/3", Arrays.copyOf(tile, length));
            assertThat(tampering(verify(other)))
                    .contains("tile/0/001.p/3 ends within hash " + length / Hash.BYTES + " of 3");
        }
        other.files().put("tile/0/001.p/3", Arrays.copyOf(tile, tile.length + 1));
        assertThat(tampering(verify(other))).contains("tile/0/001.p/3 goes on after its 3 hashes");
    }

    @Test
    void each_missing_file_is_named() {
        for (String path : new TreeMap<>(TestLog.of(SIZE).files()).keySet()) {
            if (path.startsWith("tile/")) {
                TestLog log = TestLog.of(SIZE);
                log.files().remove(path);

                assertThat(tampering(verify(log))).contains(path + " is missing");
            }
        }
    }

    @Test
    void a_log_signed_by_another_key_of_the_same_name_is_refused() {
        TestLog forged = TestLog.of(TestLog.of(SIZE).entries(), TestLog.newSigner("test.vigil/audit"));

        Verdict verdict = new LogVerifier(forged, TestLog.SIGNER.verifier(), Memory.none()).verify(null);

        assertThat(tampering(verdict)).contains("no valid signature of the key " + TestLog.SIGNER.verifier());
    }

    @Test
    void an_event_is_found_in_the_log_or_said_to_be_absent() {
        var verifier = new LogVerifier(TestLog.of(SIZE), TestLog.SIGNER.verifier(), Memory.none());

        assertThat(verifier.verify(TestLog.id(258)))
                .isInstanceOfSatisfying(
                        Verdict.Verified.class,
                        verified -> assertThat(verified.held()).contains("event " + TestLog.id(258) + " is entry 258"));
        assertThat(verifier.verify(TestLog.id(259))).isInstanceOf(Verdict.Absent.class);
    }

    @Test
    void a_log_that_grew_is_verified_against_what_was_remembered(@TempDir Path state) {
        for (int size : new int[] {0, 1, 200, 256, 259, 259, 600}) {
            TestLog log = TestLog.of(size);

            assertThat(remembering(log, state)).isInstanceOf(Verdict.Verified.class);
        }
        assertThat(((Verdict.Verified) remembering(TestLog.of(700), state)).held())
                .contains("it still begins with the 600 entries that were verified before");
    }

    @Test
    void a_log_that_was_cut_contradicts_what_was_remembered(@TempDir Path state) {
        remembering(TestLog.of(SIZE), state);

        assertThat(tampering(remembering(TestLog.of(200), state)))
                .contains("the log was cut")
                .contains("first missing entry is 200");
    }

    @Test
    void a_fork_signed_with_the_right_key_contradicts_what_was_remembered(@TempDir Path state) {
        for (int size : new int[] {100, 200, SIZE}) {
            remembering(TestLog.of(size), state);
        }
        List<byte[]> entries = new ArrayList<>(TestLog.of(300).entries());
        entries.set(150, new byte[] {1});
        TestLog fork = TestLog.of(entries, TestLog.SIGNER);
        assertThat(verify(fork)).isInstanceOf(Verdict.Verified.class);

        assertThat(tampering(remembering(fork, state)))
                .contains("the log was rewritten")
                .contains("the first bad entry lies from 100 to 199");
        TestLog sameSize = TestLog.of(entries.subList(0, SIZE), TestLog.SIGNER);
        assertThat(tampering(remembering(sameSize, state))).contains("the log was rewritten");
    }

    @Test
    void at_most_32_checkpoints_are_remembered_the_newest_ones(@TempDir Path state) {
        for (int size = 1; size <= 40; size++) {
            remembering(TestLog.of(size), state);
        }

        List<Long> sizes = Memory.open(state, TestLog.SIGNER.verifier()).checkpoints().stream()
                .map(checkpoint -> checkpoint.head().size())
                .toList();

        assertThat(sizes).hasSize(32).first().isEqualTo(9L);
        assertThat(sizes).last().isEqualTo(40L);
    }

    private static void assertStored(List<byte[]> stored, int firstBad) {
        TestLog log = TestLog.of(SIZE);
        log.storeEntries(stored);
        // The files keep the names that the signed size asks for.
        byte[] rest = log.files().entrySet().stream()
                .filter(file -> file.getKey().startsWith("tile/entries/001"))
                .findFirst()
                .orElseThrow()
                .getValue();
        log.files().put("tile/entries/001.p/3", rest);
        assertThat(tampering(verify(log))).contains("entry " + firstBad).contains("is the first bad one");
    }

    private static void assertNames(TestLog log, String path, int at, String... names) {
        byte[] sound = bytes(log, path);
        byte[] changed = sound.clone();
        changed[at] ^= (byte) (1 << at % 8);
        log.files().put(path, changed);
        assertThat(tampering(verify(log))).as("byte %d of %s", at, path).contains(names);
        log.files().put(path, sound);
    }

    private static List<String> paths(TestLog log, String... prefixes) {
        return log.files().keySet().stream()
                .filter(path -> Arrays.stream(prefixes).anyMatch(path::startsWith))
                .sorted()
                .toList();
    }

    private static byte[] bytes(TestLog log, String path) {
        byte[] bytes = log.files().get(path);
        if (bytes == null) {
            throw new AssertionError("no " + path + " among " + log.files().keySet());
        }
        return bytes;
    }

    private static Verdict verify(TestLog log) {
        return new LogVerifier(log, log.key(), Memory.none()).verify(null);
    }

    private static Verdict remembering(TestLog log, Path state) {
        return new LogVerifier(log, log.key(), Memory.open(state, log.key())).verify(null);
    }

    private static String tampering(Verdict verdict) {
        assertThat(verdict).isInstanceOf(Verdict.Tampered.class);
        return ((Verdict.Tampered) verdict).what();
    }
}
