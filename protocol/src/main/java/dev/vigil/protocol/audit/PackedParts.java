package dev.vigil.protocol.audit;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The parts of packed events, as they are written and read.
final class PackedParts {
    static final int UUID_BYTES = 2 * Long.BYTES;

    private static final int TEXT_BYTES_MAX = 0xffff;
    private static final int NANOS = 1_000_000_000;

    private PackedParts() {}

    /// A text that may be missing.
    static byte[] bytes(@Nullable String text) {
        return text == null ? new byte[0] : text.getBytes(StandardCharsets.UTF_8);
    }

    /// Whether none of them is too long to be packed.
    static boolean fit(byte[]... texts) {
        for (byte[] text : texts) {
            if (text.length > TEXT_BYTES_MAX) {
                return false;
            }
        }
        return true;
    }

    static void put(ByteBuffer out, UUID value) {
        out.putLong(value.getMostSignificantBits()).putLong(value.getLeastSignificantBits());
    }

    static UUID uuid(ByteBuffer in) {
        return new UUID(in.getLong(), in.getLong());
    }

    static void put(ByteBuffer out, Instant at) {
        out.putLong(Math.addExact(Math.multiplyExact(at.getEpochSecond(), NANOS), at.getNano()));
    }

    static Instant instant(ByteBuffer in) {
        long nanos = in.getLong();
        return Instant.ofEpochSecond(Math.floorDiv(nanos, NANOS), Math.floorMod(nanos, NANOS));
    }

    static void put(ByteBuffer out, byte[] text) {
        out.putShort((short) text.length).put(text);
    }

    static String text(ByteBuffer in) {
        byte[] bytes = new byte[Short.toUnsignedInt(in.getShort())];
        in.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /// What an event is refused with that has something which this version does not know.
    static IllegalArgumentException laterVersion() {
        return new IllegalArgumentException("a packed event is of a later version");
    }
}
