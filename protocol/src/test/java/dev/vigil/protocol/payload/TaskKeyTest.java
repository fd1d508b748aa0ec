package dev.vigil.protocol.payload;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import java.util.Random;
import java.util.UUID;
import java.util.stream.IntStream;
import javax.crypto.KDF;
import javax.crypto.spec.HKDFParameterSpec;
import org.junit.jupiter.api.Test;

class TaskKeyTest {
    @Test
    void a_task_key_is_what_the_hkdf_of_the_jdk_derives() {
        var random = new Random(5869);
        for (int i = 0; i < 20; i++) {
            byte[] dataKey = new byte[32];
            random.nextBytes(dataKey);
            UUID task = new UUID(random.nextLong(), random.nextLong());

            assertThat(TaskKey.derive(dataKey, task, i).raw()).isEqualTo(byJdk(dataKey, task, i));
        }
    }

    @Test
    void the_key_of_a_task_never_changes() {
        byte[] dataKey = new byte[32];
        dataKey[31] = 1;

        assertThat(TaskKey.derive(dataKey, new UUID(1, 2), 3).raw())
                .isEqualTo(HexFormat.of().parseHex("13d09c2bfd34c32c0f8c1d3d971209d0c6c841b581f975b35c8f6e07ee1134b7"));
    }

    @Test
    void keys_that_are_derived_at_the_same_time_do_not_mix() {
        byte[] dataKey = new byte[32];

        assertThat(IntStream.range(0, 2_000)
                        .parallel()
                        .mapToObj(
                                i -> TaskKey.derive(dataKey, new UUID(i, i), 1).raw()))
                .containsExactlyElementsOf(IntStream.range(0, 2_000)
                        .mapToObj(i -> byJdk(dataKey, new UUID(i, i), 1))
                        .toList());
    }

    private static byte[] byJdk(byte[] dataKey, UUID task, int version) {
        byte[] label = "vigil/task/v1".getBytes(StandardCharsets.US_ASCII);
        byte[] info = ByteBuffer.allocate(label.length + 20)
                .put(label)
                .putLong(task.getMostSignificantBits())
                .putLong(task.getLeastSignificantBits())
                .putInt(version)
                .array();
        try {
            return KDF.getInstance("HKDF-SHA256")
                    .deriveData(HKDFParameterSpec.ofExtract().addIKM(dataKey).thenExpand(info, 32));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
