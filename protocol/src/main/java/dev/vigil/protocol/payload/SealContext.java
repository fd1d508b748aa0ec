package dev.vigil.protocol.payload;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/// Where a sealed record belongs. All of it is authenticated, so a record that was moved to another row, version,
/// handler or namespace does not open.
///
/// @param purpose        what the record is for
/// @param namespace      number of the namespace
/// @param task           the task, or the row, that the record belongs to
/// @param payloadVersion version of payload and handler, from 1
/// @param handler        name of the handler that may read it
/// @param keyId          the data key that the task key was derived from
public record SealContext(Purpose purpose, int namespace, UUID task, int payloadVersion, String handler, UUID keyId) {

    /// The same place, another purpose.
    public SealContext withPurpose(Purpose other) {
        return new SealContext(other, namespace, task, payloadVersion, handler, keyId);
    }

    /// Length-prefixed fields after a domain tag, so that no two contexts share their bytes.
    byte[] associatedData() {
        var out = new ByteArrayOutputStream(128);
        field(out, "vigil/seal/v1".getBytes(StandardCharsets.US_ASCII));
        field(out, purpose.label().getBytes(StandardCharsets.US_ASCII));
        field(out, ByteBuffer.allocate(4).putInt(namespace).array());
        field(out, bytes(task));
        field(out, ByteBuffer.allocate(4).putInt(payloadVersion).array());
        field(out, handler.getBytes(StandardCharsets.UTF_8));
        field(out, bytes(keyId));
        return out.toByteArray();
    }

    private static void field(ByteArrayOutputStream out, byte[] value) {
        out.writeBytes(ByteBuffer.allocate(4).putInt(value.length).array());
        out.writeBytes(value);
    }

    static byte[] bytes(UUID uuid) {
        return ByteBuffer.allocate(16)
                .putLong(uuid.getMostSignificantBits())
                .putLong(uuid.getLeastSignificantBits())
                .array();
    }
}
