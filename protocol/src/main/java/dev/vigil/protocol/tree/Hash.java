package dev.vigil.protocol.tree;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/// One SHA-256 hash of the tree. Four longs instead of an array: it cannot change and it compares by value.
///
/// @param a bytes 0 to 7, big-endian
/// @param b bytes 8 to 15
/// @param c bytes 16 to 23
/// @param d bytes 24 to 31
public record Hash(long a, long b, long c, long d) {
    /// Length of a hash.
    public static final int BYTES = 32;

    /// The root of a tree without leaves: the hash of nothing (RFC 6962 section 2.1).
    public static final Hash EMPTY_ROOT = of(sha256().digest());

    // RFC 6962 section 2.1: leaves and nodes are hashed in domains of their own, so no leaf can pose as a node.
    private static final byte LEAF = 0;
    private static final byte NODE = 1;

    /// The leaf hash of an entry.
    public static Hash leaf(byte[] entry) {
        MessageDigest digest = sha256();
        digest.update(LEAF);
        return of(digest.digest(entry));
    }

    /// The hash of the node above two others.
    public static Hash node(Hash left, Hash right) {
        var both = ByteBuffer.allocate(1 + 2 * BYTES).put(NODE);
        left.writeTo(both);
        right.writeTo(both);
        return of(sha256().digest(both.array()));
    }

    /// Reads 32 bytes.
    public static Hash of(byte[] bytes) {
        if (bytes.length != BYTES) {
            throw new IllegalArgumentException("a tree hash has 32 bytes, not " + bytes.length);
        }
        return readFrom(ByteBuffer.wrap(bytes));
    }

    /// Reads the next 32 bytes.
    public static Hash readFrom(ByteBuffer in) {
        return new Hash(in.getLong(), in.getLong(), in.getLong(), in.getLong());
    }

    /// Writes its 32 bytes.
    public void writeTo(ByteBuffer out) {
        out.putLong(a).putLong(b).putLong(c).putLong(d);
    }

    /// Its 32 bytes.
    public byte[] bytes() {
        var out = ByteBuffer.allocate(BYTES);
        writeTo(out);
        return out.array();
    }

    /// Standard base64, as in checkpoints and proofs.
    @Override
    public String toString() {
        return Base64.getEncoder().encodeToString(bytes());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is part of every JDK", e);
        }
    }
}
