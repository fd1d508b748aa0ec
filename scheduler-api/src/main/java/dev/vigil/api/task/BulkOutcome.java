package dev.vigil.api.task;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.IntFunction;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.InflaterInputStream;
import org.jspecify.annotations.Nullable;

/// What became of a part of a bulk. Only failures are kept, and small: those of one kind differ little.
final class BulkOutcome {
    private static final int SUCCESS = -1;

    private final byte[] packed;

    private BulkOutcome(byte[] packed) {
        this.packed = packed;
    }

    /// What [#packed] once gave.
    static BulkOutcome unpack(byte[] packed) {
        return new BulkOutcome(packed);
    }

    /// @param failures JSON by line; null for a line that succeeded
    static BulkOutcome of(List<byte @Nullable []> failures) {
        var bytes = new ByteArrayOutputStream();
        try (var out = new DataOutputStream(new DeflaterOutputStream(bytes))) {
            out.writeInt(failures.size());
            for (byte[] failure : failures) {
                out.writeInt(failure == null ? SUCCESS : failure.length);
                if (failure != null) {
                    out.write(failure);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new BulkOutcome(bytes.toByteArray());
    }

    byte[] packed() {
        return packed;
    }

    /// Writes one line of JSON for each line of the part.
    ///
    /// @param first   place of the part's first line
    /// @param success JSON of a line that succeeded, by its place
    /// @return the place behind the part
    int writeTo(OutputStream out, int first, IntFunction<String> success) throws IOException {
        try (var in = new DataInputStream(new InflaterInputStream(new ByteArrayInputStream(packed)))) {
            int count = in.readInt();
            for (int i = 0; i < count; i++) {
                int length = in.readInt();
                out.write(
                        length == SUCCESS
                                ? success.apply(first + i).getBytes(StandardCharsets.UTF_8)
                                : in.readNBytes(length));
                out.write('\n');
            }
            return first + count;
        }
    }
}
