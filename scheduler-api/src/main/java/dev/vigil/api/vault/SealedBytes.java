package dev.vigil.api.vault;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Optional;
import java.util.UUID;
import javax.crypto.Cipher;
import javax.crypto.KDF;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/// AES-256-GCM for what the vault itself keeps: `version, iv, ciphertext, tag` under a context that is authenticated.
/// Payloads have a format of their own ([dev.vigil.protocol.payload.TaskKey]).
final class SealedBytes {
    private static final byte VERSION = 1;
    private static final int IV = 12;
    private static final int HEADER = 1 + IV;
    private static final int TAG_BITS = 128;
    private static final SecureRandom RANDOM = new SecureRandom();

    private SealedBytes() {}

    /// 32 fresh random bytes.
    static byte[] newKey() {
        var key = new byte[32];
        RANDOM.nextBytes(key);
        return key;
    }

    static byte[] seal(byte[] key, byte[] context, byte[] plain) {
        // Each of these keys seals far fewer than 2^32 times, so 96 random bits of nonce hold (NIST SP 800-38D, 8.3).
        var iv = new byte[IV];
        RANDOM.nextBytes(iv);
        try {
            byte[] sealed = cipher(Cipher.ENCRYPT_MODE, key, iv, context).doFinal(plain);
            return ByteBuffer.allocate(HEADER + sealed.length)
                    .put(VERSION)
                    .put(iv)
                    .put(sealed)
                    .array();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("AES-256-GCM failed to seal; is the JDK complete?", e);
        }
    }

    /// The plaintext; empty when the bytes were changed, or sealed under another key or context.
    static Optional<byte[]> open(byte[] key, byte[] context, byte[] sealed) {
        if (sealed.length < HEADER + TAG_BITS / 8 || sealed[0] != VERSION) {
            return Optional.empty();
        }
        try {
            return Optional.of(cipher(Cipher.DECRYPT_MODE, key, Arrays.copyOfRange(sealed, 1, HEADER), context)
                    .doFinal(sealed, HEADER, sealed.length - HEADER));
        } catch (GeneralSecurityException _) {
            return Optional.empty();
        }
    }

    /// A key for one use, HKDF-SHA256 (RFC 5869) of another.
    static byte[] derive(byte[] key, String use) {
        try {
            return KDF.getInstance("HKDF-SHA256")
                    .deriveData(HKDFParameterSpec.ofExtract()
                            .addIKM(key)
                            .thenExpand(use.getBytes(StandardCharsets.UTF_8), 32));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("HKDF-SHA256 is part of JDK 25", e);
        }
    }

    static byte[] hmac(byte[] key, byte[] data) {
        try {
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(data);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("HmacSHA256 is part of every JDK", e);
        }
    }

    /// Fields in a form that no other list of fields shares: each with its length before it; -1 stands for a missing
    /// one. Lists and sorted maps are such forms themselves.
    static byte[] fields(@Nullable Object... fields) {
        var out = new ByteArrayOutputStream(128);
        for (Object field : fields) {
            byte[] bytes = switch (field) {
                case null -> null;
                case byte[] raw -> raw;
                case UUID uuid ->
                    ByteBuffer.allocate(16)
                            .putLong(uuid.getMostSignificantBits())
                            .putLong(uuid.getLeastSignificantBits())
                            .array();
                default -> field.toString().getBytes(StandardCharsets.UTF_8);
            };
            out.writeBytes(ByteBuffer.allocate(4)
                    .putInt(bytes == null ? -1 : bytes.length)
                    .array());
            if (bytes != null) {
                out.writeBytes(bytes);
            }
        }
        return out.toByteArray();
    }

    private static Cipher cipher(int mode, byte[] key, byte[] iv, byte[] context) throws GeneralSecurityException {
        var cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(TAG_BITS, iv));
        cipher.updateAAD(context);
        return cipher;
    }
}
