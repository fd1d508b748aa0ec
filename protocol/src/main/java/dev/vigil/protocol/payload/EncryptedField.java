package dev.vigil.protocol.payload;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;

/// A value inside a payload that is sealed by itself, written `encrypted:AES256:…` in base64url: a version, the id
/// of the field, the handler that it is for, and the record of [TaskKey]. The key is derived from a data key and
/// the field's id, so it opens this field and no other.
///
/// @param id      random, made when the value was sealed
/// @param handler the only handler that may have it; empty when any of the namespace may
/// @param record  the sealed value
public record EncryptedField(UUID id, String handler, byte[] record) {
    /// How such a value begins.
    public static final String PREFIX = "encrypted:AES256:";

    private static final byte VERSION = 1;
    private static final int HEADER = 1 + 16 + 1;
    private static final Pattern HANDLER = Pattern.compile("[a-z0-9._-]{0,255}");

    public EncryptedField {
        if (!HANDLER.matcher(handler).matches()) {
            throw new IllegalArgumentException(
                    "the handler of an encrypted field is none; use a name like a.b, or none");
        }
        record = record.clone();
    }

    @Override
    public byte[] record() {
        return record.clone();
    }

    /// Reads what [#text] wrote.
    ///
    /// @return empty when it is none
    public static Optional<EncryptedField> parse(String text) {
        if (!text.startsWith(PREFIX)) {
            return Optional.empty();
        }
        byte[] bytes;
        try {
            bytes = Base64.getUrlDecoder().decode(text.substring(PREFIX.length()));
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
        if (bytes.length < HEADER || bytes[0] != VERSION) {
            return Optional.empty();
        }
        var in = ByteBuffer.wrap(bytes, 1, bytes.length - 1);
        var id = new UUID(in.getLong(), in.getLong());
        int length = Byte.toUnsignedInt(in.get());
        if (in.remaining() < length + TaskKey.OVERHEAD) {
            return Optional.empty();
        }
        var handler = new byte[length];
        in.get(handler);
        var record = new byte[in.remaining()];
        in.get(record);
        String name = new String(handler, StandardCharsets.ISO_8859_1);
        return HANDLER.matcher(name).matches() ? Optional.of(new EncryptedField(id, name, record)) : Optional.empty();
    }

    /// The value as it stands in a payload.
    public String text() {
        byte[] name = handler.getBytes(StandardCharsets.US_ASCII);
        byte[] bytes = ByteBuffer.allocate(HEADER + name.length + record.length)
                .put(VERSION)
                .putLong(id.getMostSignificantBits())
                .putLong(id.getLeastSignificantBits())
                .put((byte) name.length)
                .put(name)
                .put(record)
                .array();
        return PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /// The data key behind it.
    public UUID keyId() {
        var in = ByteBuffer.wrap(record, 2, 16);
        return new UUID(in.getLong(), in.getLong());
    }

    /// Where it belongs.
    ///
    /// @param namespace number of the namespace
    public SealContext place(int namespace) {
        return new SealContext(Purpose.FIELD, namespace, id, 1, handler, keyId());
    }

    @Override
    public String toString() {
        return "EncryptedField[" + id + "]";
    }
}
