package dev.vigil.protocol.payload;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedDeque;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/// The key of one task and payload version: HKDF-SHA256 (RFC 5869) of a data key. A worker gets this one, never the
/// data key. It seals and opens with AES-256-GCM; the record is `version, alg, key id, iv, ciphertext, tag`.
///
/// Safe for use by several threads. Does not print itself.
public final class TaskKey {
    /// Bytes that sealing adds to a plaintext.
    public static final int OVERHEAD = 1 + 1 + 16 + 12 + 16;

    private static final byte VERSION = 1;
    private static final byte AES_256_GCM = 1;
    private static final int HEADER = 1 + 1 + 16 + 12;
    private static final int TAG_BITS = 128;
    private static final java.security.SecureRandom RANDOM = new java.security.SecureRandom();
    /// Those nobody uses now. Virtual threads live for one call each: each of them would make its own.
    private static final ConcurrentLinkedDeque<Cipher> CIPHERS = new ConcurrentLinkedDeque<>();
    /// The same, each keyed with the salt of nothing that extraction begins with, and with no key of anybody.
    private static final ConcurrentLinkedDeque<Mac> MACS = new ConcurrentLinkedDeque<>();

    private static final String HMAC = "HmacSHA256";
    private static final int HASH_BYTES = 32;
    private static final SecretKeySpec NO_SALT = new SecretKeySpec(new byte[HASH_BYTES], HMAC);
    private static final byte[] LABEL = "vigil/task/v1".getBytes(StandardCharsets.US_ASCII);

    private final SecretKeySpec key;

    private TaskKey(SecretKeySpec key) {
        this.key = key;
    }

    /// Derives the key of a task from a data key.
    ///
    /// @param dataKey 32 bytes; not kept
    public static TaskKey derive(byte[] dataKey, UUID task, int payloadVersion) {
        if (dataKey.length != 32) {
            throw new IllegalArgumentException("data key has " + dataKey.length + " bytes; use 32");
        }
        byte[] info = ByteBuffer.allocate(LABEL.length + 16 + 4)
                .put(LABEL)
                .putLong(task.getMostSignificantBits())
                .putLong(task.getLeastSignificantBits())
                .putInt(payloadVersion)
                .array();
        return of(hkdf(dataKey, info));
    }

    /// HKDF-SHA256 without a salt (RFC 5869), of as many bytes as its hash has: one block. The JDK's own looks up its
    /// parts anew for each key, which takes twice as long as all of the hashing.
    private static byte[] hkdf(byte[] keyingMaterial, byte[] info) {
        Mac free = MACS.poll();
        try {
            Mac mac = free == null ? Mac.getInstance(HMAC) : free;
            if (free == null) {
                mac.init(NO_SALT);
            }
            mac.init(new SecretKeySpec(mac.doFinal(keyingMaterial), HMAC));
            mac.update(info);
            mac.update((byte) 1);
            byte[] derived = mac.doFinal();
            mac.init(NO_SALT);
            MACS.push(mac);
            return derived;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("HMAC-SHA256 is part of every JDK", e);
        }
    }

    /// A key that came over the materials call.
    ///
    /// @param raw 32 bytes; copied
    public static TaskKey of(byte[] raw) {
        if (raw.length != 32) {
            throw new IllegalArgumentException("task key has " + raw.length + " bytes; use 32");
        }
        return new TaskKey(new SecretKeySpec(raw, "AES"));
    }

    /// The 32 bytes, for the materials answer only.
    public byte[] raw() {
        return key.getEncoded();
    }

    /// Seals a plaintext for one place.
    public byte[] seal(SealContext context, byte[] plaintext) {
        // A GCM nonce must never repeat under a key; 96 random bits hold for 2^32 seals (NIST SP 800-38D section 8.3),
        // and a task key sees a handful.
        var iv = new byte[12];
        RANDOM.nextBytes(iv);
        var record = new byte[OVERHEAD + plaintext.length];
        ByteBuffer.wrap(record)
                .put(VERSION)
                .put(AES_256_GCM)
                .putLong(context.keyId().getMostSignificantBits())
                .putLong(context.keyId().getLeastSignificantBits())
                .put(iv);
        try {
            Cipher cipher = cipher();
            cipher.init(Cipher.ENCRYPT_MODE, key, new GCMParameterSpec(TAG_BITS, iv));
            cipher.updateAAD(context.associatedData());
            cipher.doFinal(plaintext, 0, plaintext.length, record, HEADER);
            CIPHERS.push(cipher);
            return record;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("AES-256-GCM failed to seal; is the JDK complete?", e);
        }
    }

    /// Opens a record that was sealed for exactly this place.
    ///
    /// @throws SealBrokenException when the record was changed, belongs to another place or another key
    public byte[] open(SealContext context, byte[] record) throws SealBrokenException {
        if (record.length < OVERHEAD || record[0] != VERSION || record[1] != AES_256_GCM) {
            throw new SealBrokenException("not a sealed record of version 1");
        }
        if (!context.keyId().equals(keyIdOf(record))) {
            throw new SealBrokenException("sealed under data key " + keyIdOf(record) + ", not " + context.keyId());
        }
        try {
            Cipher cipher = cipher();
            cipher.init(
                    Cipher.DECRYPT_MODE, key, new GCMParameterSpec(TAG_BITS, Arrays.copyOfRange(record, 18, HEADER)));
            cipher.updateAAD(context.associatedData());
            byte[] plaintext = cipher.doFinal(record, HEADER, record.length - HEADER);
            CIPHERS.push(cipher);
            return plaintext;
        } catch (GeneralSecurityException e) {
            throw new SealBrokenException("the record does not belong to this place, or was changed");
        }
    }

    /// The data key that a record names.
    ///
    /// @throws SealBrokenException when it is too short to be one
    public static UUID keyIdOf(byte[] record) throws SealBrokenException {
        if (record.length < OVERHEAD) {
            throw new SealBrokenException(
                    "a sealed record has at least " + OVERHEAD + " bytes, this one " + record.length);
        }
        var in = ByteBuffer.wrap(record, 2, 16);
        return new UUID(in.getLong(), in.getLong());
    }

    private static Cipher cipher() throws GeneralSecurityException {
        Cipher free = CIPHERS.poll();
        return free == null ? Cipher.getInstance("AES/GCM/NoPadding") : free;
    }

    @Override
    public String toString() {
        return "TaskKey[hidden]";
    }
}
