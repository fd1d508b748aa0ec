package dev.vigil.api.access;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Optional;
import java.util.UUID;

/// What keeps a sign-in going. It names its family and its owner, and the stored hash is an HMAC under a vault key: so
/// neither a row that SQL wrote nor one that SQL pointed at another family or user lets anybody in.
///
/// @param family    the sign-in
/// @param principal who signed in
/// @param text      as the client holds it
record RefreshToken(UUID family, UUID principal, String text) {
    private static final int LENGTH = 16 + 16 + 32;
    private static final SecureRandom RANDOM = new SecureRandom();

    /// A new one, with 256 random bits.
    static RefreshToken next(UUID family, UUID principal) {
        var random = new byte[32];
        RANDOM.nextBytes(random);
        byte[] bytes = ByteBuffer.allocate(LENGTH)
                .putLong(family.getMostSignificantBits())
                .putLong(family.getLeastSignificantBits())
                .putLong(principal.getMostSignificantBits())
                .putLong(principal.getLeastSignificantBits())
                .put(random)
                .array();
        return new RefreshToken(
                family, principal, Base64.getUrlEncoder().withoutPadding().encodeToString(bytes));
    }

    /// Reads what a client sent; empty when it has not the form of one.
    static Optional<RefreshToken> parse(String text) {
        try {
            var in = ByteBuffer.wrap(Base64.getUrlDecoder().decode(text));
            return in.remaining() == LENGTH
                    ? Optional.of(new RefreshToken(
                            new UUID(in.getLong(), in.getLong()), new UUID(in.getLong(), in.getLong()), text))
                    : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    @Override
    public String toString() {
        return "RefreshToken of " + family;
    }
}
