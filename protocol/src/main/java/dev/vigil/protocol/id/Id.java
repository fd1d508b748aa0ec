package dev.vigil.protocol.id;

import java.util.Optional;
import java.util.UUID;

/// An identifier as clients see it: `tsk_01k9…`, a prefix and a UUIDv7 in lower-case Crockford base32, 26 characters.
///
/// @param kind what it names
/// @param uuid the value that is stored
public record Id(Kind kind, UUID uuid) {
    private static final String ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
    private static final int LENGTH = 26;
    private static final byte[] VALUES = values();

    /// A new id of this kind, later in order than those made before it in this process.
    public static Id next(Kind kind) {
        return new Id(kind, UuidV7.next());
    }

    /// Reads the public form.
    ///
    /// @return empty when the prefix is another kind's, the length is off or a character is outside the alphabet
    public static Optional<Id> parse(Kind kind, String text) {
        String prefix = kind.prefix() + "_";
        if (text.length() != prefix.length() + LENGTH || !text.startsWith(prefix)) {
            return Optional.empty();
        }
        return decode(text.substring(prefix.length())).map(uuid -> new Id(kind, uuid));
    }

    private static Optional<UUID> decode(String text) {
        long high = 0;
        long low = 0;
        for (int i = 0; i < LENGTH; i++) {
            char c = text.charAt(i);
            int value = c < VALUES.length ? VALUES[c] : -1;
            if (value < 0 || (i == 0 && value > 7)) {
                return Optional.empty();
            }
            high = (high << 5) | (low >>> 59);
            low = (low << 5) | value;
        }
        return Optional.of(new UUID(high, low));
    }

    @Override
    public String toString() {
        var text = new char[LENGTH];
        long high = uuid.getMostSignificantBits();
        long low = uuid.getLeastSignificantBits();
        for (int i = LENGTH - 1; i >= 0; i--) {
            text[i] = ALPHABET.charAt((int) (low & 31));
            low = (low >>> 5) | (high << 59);
            high >>>= 5;
        }
        return kind.prefix() + "_" + new String(text);
    }

    private static byte[] values() {
        var values = new byte['z' + 1];
        java.util.Arrays.fill(values, (byte) -1);
        for (int i = 0; i < ALPHABET.length(); i++) {
            values[ALPHABET.charAt(i)] = (byte) i;
        }
        return values;
    }
}
