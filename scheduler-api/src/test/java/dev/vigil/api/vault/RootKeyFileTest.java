package dev.vigil.api.vault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RootKeyFileTest {
    private static final byte[] CONTEXT = "row 1".getBytes(StandardCharsets.UTF_8);

    @TempDir
    private Path folder;

    @Test
    void a_missing_file_is_made_for_its_owner_only_when_told_to() throws IOException {
        Path file = folder.resolve("new/root.key");

        KeyWrapper made = RootKeyFile.open(file, true);

        assertThat(Files.size(file)).isEqualTo(32);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(file.getParent()).isDirectoryNotContaining(other -> !other.equals(file));
        assertThat(RootKeyFile.open(file, true).rootKey()).isEqualTo(made.rootKey());
    }

    @Test
    void a_missing_file_stops_the_start_and_names_the_command_that_makes_one() {
        assertThatThrownBy(() -> RootKeyFile.open(folder.resolve("none"), false))
                .isInstanceOf(VaultException.class)
                .hasMessageContaining("vigil.vault.root-key-file")
                .hasMessageContaining("umask 077");
    }

    @Test
    void a_file_of_another_length_or_open_to_others_is_refused() throws IOException {
        Path shortKey = key("short", 31, "rw-------");
        Path open = key("open", 32, "rw-r-----");

        assertThatThrownBy(() -> RootKeyFile.open(shortKey, false)).hasMessageContaining("31 bytes");
        assertThatThrownBy(() -> RootKeyFile.open(open, false)).hasMessageContaining("chmod 600");
    }

    @Test
    void a_wrapped_key_opens_in_its_context_only() {
        KeyWrapper root = RootKeyFile.open(folder.resolve("root"), true);
        KeyWrapper other = RootKeyFile.open(folder.resolve("other"), true);
        byte[] key = SealedBytes.newKey();

        byte[] wrapped = root.wrap(key, CONTEXT);

        assertThat(root.unwrap(wrapped, CONTEXT)).isEqualTo(key);
        assertThatThrownBy(() -> root.unwrap(wrapped, "row 2".getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(VaultException.class);
        assertThatThrownBy(() -> other.unwrap(wrapped, CONTEXT)).isInstanceOf(VaultException.class);
        wrapped[wrapped.length - 1] ^= 1;
        assertThatThrownBy(() -> root.unwrap(wrapped, CONTEXT)).isInstanceOf(VaultException.class);
    }

    private Path key(String name, int length, String permissions) throws IOException {
        Path file = Files.write(folder.resolve(name), new byte[length]);
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
    }
}
