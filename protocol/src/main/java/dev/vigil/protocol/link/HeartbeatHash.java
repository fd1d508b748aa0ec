package dev.vigil.protocol.link;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;

/// The running hash over the heartbeats of one connection. The worker signs it with its certificate's key in the
/// first heartbeat and then once a minute: evidence that nobody else can make, at the price of one signature a
/// minute.
public final class HeartbeatHash {
    /// A heartbeat is signed at the latest this many after the last signed one.
    public static final int SIGNED_EVERY = 60;

    private static final byte[] LABEL = "vigil/heartbeat/v1".getBytes(StandardCharsets.US_ASCII);

    private byte[] value;

    /// @param transcript of the connection's handshake
    public HeartbeatHash(byte[] transcript) {
        value = sha256(LABEL, transcript);
    }

    /// Takes in the next heartbeat.
    public void add(byte[] unsignedHeartbeat) {
        byte[] length = ByteBuffer.allocate(4).putInt(unsignedHeartbeat.length).array();
        value = sha256(value, length, unsignedHeartbeat);
    }

    /// What is signed: the label and the hash, the heartbeat that carries the signature included.
    public byte[] statement() {
        return ByteBuffer.allocate(LABEL.length + value.length)
                .put(LABEL)
                .put(value)
                .array();
    }

    /// Whether a signature over the statement is the worker's.
    public boolean signedBy(PublicKey key, byte[] signature) {
        try {
            var verifier = Signature.getInstance("SHA256withECDSA");
            verifier.initVerify(key);
            verifier.update(statement());
            return verifier.verify(signature);
        } catch (GeneralSecurityException e) {
            // A malformed signature is a wrong one.
            return false;
        }
    }

    private static byte[] sha256(byte[]... parts) {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            for (byte[] part : parts) {
                digest.update(part);
            }
            return digest.digest();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("SHA-256 is part of every JDK", e);
        }
    }
}
