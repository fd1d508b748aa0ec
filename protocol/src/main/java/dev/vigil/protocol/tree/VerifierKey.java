package dev.vigil.protocol.tree;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Optional;

/// The public half of a note signing key, Ed25519 (C2SP signed-note). Its text form, the "vkey", is
/// `<name>+<key id in hexadecimal>+<base64 of 0x01 and the 32 key bytes>`.
public final class VerifierKey {
    static final byte ED25519 = 1;

    private static final int KEY_BYTES = 32;
    // The SubjectPublicKeyInfo of an Ed25519 key is these bytes and the key (RFC 8410 section 4).
    private static final byte[] SPKI = HexFormat.of().parseHex("302a300506032b6570032100");

    private final String name;
    private final int id;
    private final byte[] key;
    private final PublicKey verifying;

    private VerifierKey(String name, byte[] key) {
        this.name = name;
        this.key = key.clone();
        this.id = keyId(name, key);
        try {
            byte[] encoded = Arrays.copyOf(SPKI, SPKI.length + KEY_BYTES);
            System.arraycopy(key, 0, encoded, SPKI.length, KEY_BYTES);
            this.verifying = KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded));
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("the 32 bytes are no Ed25519 public key", e);
        }
    }

    /// The key with that name.
    ///
    /// @param publicKey an Ed25519 key
    public static VerifierKey of(String name, PublicKey publicKey) {
        byte[] encoded = publicKey.getEncoded();
        if (encoded.length != SPKI.length + KEY_BYTES
                || !Arrays.equals(encoded, 0, SPKI.length, SPKI, 0, SPKI.length)) {
            throw new IllegalArgumentException("a " + publicKey.getAlgorithm() + " key signs no notes; use Ed25519");
        }
        if (!SignedNote.isKeyName(name)) {
            throw new IllegalArgumentException("key name \"" + name + "\" is empty or has a space or a plus sign");
        }
        return new VerifierKey(name, Arrays.copyOfRange(encoded, SPKI.length, encoded.length));
    }

    /// Reads a vkey.
    ///
    /// @return empty when the text is not exactly of that form, the id does not fit the key or it is not Ed25519
    public static Optional<VerifierKey> parse(String vkey) {
        String[] parts = vkey.split("\\+", 3);
        if (parts.length != 3 || !SignedNote.isKeyName(parts[0])) {
            return Optional.empty();
        }
        try {
            byte[] typed = Base64.getDecoder().decode(parts[2]);
            if (typed.length != 1 + KEY_BYTES || typed[0] != ED25519) {
                return Optional.empty();
            }
            var key = new VerifierKey(parts[0], Arrays.copyOfRange(typed, 1, typed.length));
            // Compared as text, so one key has one form: the id fits, hexadecimal is lower case, base64 is padded.
            return key.toString().equals(vkey) ? Optional.of(key) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /// The key's name, by our convention the origin of the log.
    public String name() {
        return name;
    }

    /// The first four bytes of a hash over name, type and key. Names the key in a signature line; proves nothing.
    public int id() {
        return id;
    }

    /// Whether the signature is this key's over that text.
    public boolean verifies(String text, byte[] signature) {
        try {
            var ed25519 = Signature.getInstance("Ed25519");
            ed25519.initVerify(verifying);
            ed25519.update(text.getBytes(StandardCharsets.UTF_8));
            return ed25519.verify(signature);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    /// The vkey.
    @Override
    public String toString() {
        byte[] typed = ByteBuffer.allocate(1 + KEY_BYTES).put(ED25519).put(key).array();
        return name + "+" + HexFormat.of().toHexDigits(id) + "+"
                + Base64.getEncoder().encodeToString(typed);
    }

    private static int keyId(String name, byte[] key) {
        try {
            var sha256 = MessageDigest.getInstance("SHA-256");
            sha256.update(name.getBytes(StandardCharsets.UTF_8));
            sha256.update((byte) '\n');
            sha256.update(ED25519);
            return ByteBuffer.wrap(sha256.digest(key)).getInt();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("SHA-256 is part of every JDK", e);
        }
    }
}
