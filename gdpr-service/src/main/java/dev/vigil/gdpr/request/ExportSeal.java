package dev.vigil.gdpr.request;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.UUID;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/// Seals the pieces of one export: AES-256-GCM, `iv, ciphertext, tag`, bound to the request, the piece's number and
/// whether it is the last, so that none can be left out, moved or taken from another export.
final class ExportSeal {
    private static final int IV = 12;
    private static final int TAG_BITS = 128;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final SecretKeySpec key;
    private final UUID request;

    ExportSeal(byte[] key, UUID request) {
        this.key = new SecretKeySpec(key, "AES");
        this.request = request;
    }

    byte[] seal(int n, boolean last, byte[] piece) {
        var iv = new byte[IV];
        RANDOM.nextBytes(iv);
        try {
            byte[] sealed = cipher(Cipher.ENCRYPT_MODE, iv, n, last).doFinal(piece);
            return ByteBuffer.allocate(IV + sealed.length).put(iv).put(sealed).array();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("AES-256-GCM failed to seal; is the JDK complete?", e);
        }
    }

    /// Opens a piece.
    ///
    /// @throws IllegalStateException when it was changed or moved
    byte[] open(int n, boolean last, byte[] sealed) {
        try {
            byte[] iv = Arrays.copyOf(sealed, IV);
            return cipher(Cipher.DECRYPT_MODE, iv, n, last).doFinal(sealed, IV, sealed.length - IV);
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new IllegalStateException("piece " + n + " of the export was changed in the database", e);
        }
    }

    private Cipher cipher(int mode, byte[] iv, int n, boolean last) throws GeneralSecurityException {
        var cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, iv));
        cipher.updateAAD(ByteBuffer.allocate(21)
                .putLong(request.getMostSignificantBits())
                .putLong(request.getLeastSignificantBits())
                .putInt(n)
                .put((byte) (last ? 1 : 0))
                .array());
        return cipher;
    }
}
