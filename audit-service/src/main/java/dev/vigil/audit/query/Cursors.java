package dev.vigil.audit.query;

import dev.vigil.audit.log.Place;
import dev.vigil.protocol.tree.NoteSigner;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// Turns the place where a list stopped into an opaque text and back. A cursor carries a MAC over the place and the
/// filters, so a changed one, or one of another list, is noticed.
final class Cursors {
    private static final int PLACE_BYTES = 16;
    private static final int MAC_BYTES = 16;

    private final SecretKeySpec key;

    /// Cursors whose key is derived from the log's signing key, so every instance of the service takes them.
    Cursors(NoteSigner signer) {
        // An Ed25519 signature is a function of key and text. This one is never published, so it is a secret.
        byte[] secret = signer.sign("the key of list cursors, never published\n")
                .signatures()
                .getFirst()
                .signature();
        this.key = new SecretKeySpec(secret, "HmacSHA256");
    }

    /// The cursor behind a place.
    ///
    /// @param list names the filters and the order
    String write(Place place, String list) {
        byte[] bytes = bytes(place);
        byte[] mac = mac(bytes, list);
        return text(
                ByteBuffer.allocate(PLACE_BYTES + MAC_BYTES).put(bytes).put(mac).array());
    }

    /// The place of a cursor.
    ///
    /// @return empty unless this service made it for that list
    Optional<Place> read(String cursor, String list) {
        byte[] whole;
        try {
            whole = Base64.getUrlDecoder().decode(cursor);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
        // Written again and compared: the last character has bits that a decoder passes over.
        if (whole.length != PLACE_BYTES + MAC_BYTES || !text(whole).equals(cursor)) {
            return Optional.empty();
        }
        byte[] bytes = Arrays.copyOf(whole, PLACE_BYTES);
        boolean own = MessageDigest.isEqual(mac(bytes, list), Arrays.copyOfRange(whole, PLACE_BYTES, whole.length));
        var in = ByteBuffer.wrap(bytes);
        return own ? Optional.of(new Place(in.getLong(), in.getLong())) : Optional.empty();
    }

    private static String text(byte[] cursor) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(cursor);
    }

    private static byte[] bytes(Place place) {
        return ByteBuffer.allocate(PLACE_BYTES)
                .putLong(place.atMicros())
                .putLong(place.seq())
                .array();
    }

    private byte[] mac(byte[] place, String list) {
        try {
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(key);
            mac.update(place);
            return Arrays.copyOf(mac.doFinal(list.getBytes(StandardCharsets.UTF_8)), MAC_BYTES);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("HmacSHA256 is part of every JDK", e);
        }
    }
}
