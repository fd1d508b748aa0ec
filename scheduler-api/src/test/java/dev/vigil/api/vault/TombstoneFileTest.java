package dev.vigil.api.vault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vigil.api.vault.TombstoneFile.Tombstone;
import dev.vigil.scheduler.task.SubjectTasks.Person;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TombstoneFileTest {
    @TempDir
    private Path folder;

    private Path file;
    private RootKeys root;

    @BeforeEach
    void a_file_with_two() {
        file = folder.resolve("state/tombstones");
        root = RootKeyRing.open(folder.resolve("root.key"), true);
        TombstoneFile.open(file, root).add(List.of(tombstone(1), tombstone(2)));
    }

    @Test
    void what_was_added_is_there_after_a_restart_once_and_in_order() throws IOException {
        TombstoneFile.open(file, root).add(List.of(tombstone(2), tombstone(3)));

        assertThat(names(TombstoneFile.open(file, root))).containsExactly(1, 2, 3);
        assertThat(Files.readAllLines(file)).hasSize(4);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
    }

    @Test
    void a_line_that_was_torn_by_a_crash_is_cut_and_the_next_one_fits_behind() throws IOException {
        String torn = Files.readAllLines(file).getLast().substring(0, 20);
        Files.writeString(file, torn, StandardOpenOption.APPEND);

        TombstoneFile.open(file, root).add(List.of(tombstone(3)));

        assertThat(names(TombstoneFile.open(file, root))).containsExactly(1, 2, 3);
    }

    @Test
    void a_changed_line_stops_the_start() throws IOException {
        List<String> lines = Files.readAllLines(file);
        String other = lines.get(1).replaceFirst(" 1 ", " 7 ");
        Files.write(file, List.of(lines.get(0), other, lines.get(2)));

        assertThatThrownBy(() -> TombstoneFile.open(file, root))
                .isInstanceOf(VaultException.class)
                .hasMessageContaining("vigil.vault.tombstone-file");
    }

    @Test
    void it_opens_with_its_root_key_only_and_moves_to_another_by_being_wrapped_anew() {
        RootKeys next = RootKeyRing.open(folder.resolve("next.key"), true);
        assertThatThrownBy(() -> TombstoneFile.open(file, next))
                .hasMessageContaining(root.current().rootKey());

        TombstoneFile.open(file, root).rewrap(next.current());

        assertThat(names(TombstoneFile.open(file, next))).containsExactly(1, 2);
        assertThatThrownBy(() -> TombstoneFile.open(file, root)).isInstanceOf(VaultException.class);
    }

    private static List<Integer> names(TombstoneFile tombstones) {
        return tombstones.all().stream().map(each -> each.person().namespace()).toList();
    }

    private static Tombstone tombstone(int n) {
        return new Tombstone(new UUID(7, n), new Person(n, new byte[16], new UUID(0, 0)));
    }
}
