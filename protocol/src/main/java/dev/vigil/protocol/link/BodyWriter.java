package dev.vigil.protocol.link;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/// Packs a body by hand: big-endian numbers, UUIDs as 16 bytes, texts and byte strings with their length before them.
final class BodyWriter {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream(256);

    BodyWriter u8(int value) {
        out.write(value);
        return this;
    }

    BodyWriter u16(int value) {
        return u8(value >>> 8).u8(value);
    }

    BodyWriter u32(int value) {
        return u16(value >>> 16).u16(value);
    }

    BodyWriter u64(long value) {
        return u32((int) (value >>> 32)).u32((int) value);
    }

    BodyWriter uuid(UUID value) {
        return u64(value.getMostSignificantBits()).u64(value.getLeastSignificantBits());
    }

    /// A text of at most 255 bytes of UTF-8.
    BodyWriter text(String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > 255) {
            throw new IllegalArgumentException("a text of " + bytes.length + " bytes; at most 255 travel in a frame");
        }
        u8(bytes.length);
        out.writeBytes(bytes);
        return this;
    }

    /// A byte string behind a 32-bit length.
    BodyWriter bytes(byte[] value) {
        u32(value.length);
        out.writeBytes(value);
        return this;
    }

    BodyWriter raw(byte[] value) {
        out.writeBytes(value);
        return this;
    }

    byte[] toBytes() {
        return out.toByteArray();
    }
}
