package dev.vigil.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vigil.edge.KeyPairFile.Algorithm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class KeyPairFileTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource
    void a_key_that_was_made_is_the_same_at_the_next_start_and_its_owners_alone(Algorithm algorithm)
            throws IOException {
        Path file = folder.resolve("keys").resolve("signing-key.pem");

        KeyPair made = KeyPairFile.open(file, algorithm, "vigil.test", true);
        KeyPair read = KeyPairFile.open(file, algorithm, "vigil.test", false);

        assertThat(read.getPublic()).isEqualTo(made.getPublic());
        assertThat(read.getPrivate()).isEqualTo(made.getPrivate());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(Files.readString(file)).endsWith(KeyPairFile.pem(made.getPublic()));
    }

    @Test
    void services_that_start_at_once_share_one_key() {
        Path file = folder.resolve("signing-key.pem");

        assertThat(IntStream.range(0, 16)
                        .parallel()
                        .mapToObj(_ -> KeyPairFile.open(file, Algorithm.ED25519, "vigil.test", true)
                                .getPublic())
                        .distinct())
                .hasSize(1);
        assertThat(folder)
                .isDirectoryContaining(path -> path.equals(file))
                .isDirectoryNotContaining("glob:**.signing*");
    }

    @Test
    void without_a_file_the_message_names_the_setting_that_makes_one() {
        Path file = folder.resolve("none.pem");

        assertThatThrownBy(() -> KeyPairFile.open(file, Algorithm.P256, "vigil.test", false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(
                        "vigil.test.signing-key-file", "none.pem", "vigil.test.create-signing-key=true");
        assertThat(file).doesNotExist();
    }

    @Test
    void a_file_that_others_may_read_is_refused() throws IOException {
        Path file = folder.resolve("open.pem");
        KeyPairFile.open(file, Algorithm.ED25519, "vigil.test", true);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));

        assertThatThrownBy(() -> KeyPairFile.open(file, Algorithm.ED25519, "vigil.test", false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("chmod 600");
    }

    @Test
    void a_key_of_another_kind_or_none_is_refused_with_the_command_that_makes_one() throws IOException {
        Path file = folder.resolve("other.pem");
        KeyPairFile.open(file, Algorithm.P256, "vigil.test", true);

        assertThatThrownBy(() -> KeyPairFile.open(file, Algorithm.ED25519, "vigil.test", false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("openssl genpkey -algorithm ed25519");
        Files.writeString(file, "no key");
        assertThatThrownBy(() -> KeyPairFile.open(file, Algorithm.P256, "vigil.test", false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("ec_paramgen_curve:P-256");
    }
}
