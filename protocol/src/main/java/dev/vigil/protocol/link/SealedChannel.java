package dev.vigil.protocol.link;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;

/// One end of one connection: seals what leaves, opens what comes, and keeps the two counters. AES-256-GCM with one
/// key per direction; the nonce is the sequence number, from 0, the header is associated data. Keys and counters
/// live and die with the connection: they are never stored and never resumed, so no (key, nonce) pair is used twice.
///
/// Not thread-safe: it belongs to the thread that owns the socket.
public final class SealedChannel {
    /// Bytes that sealing adds to a body.
    public static final int TAG_BYTES = 16;

    /// The longest body before sealing.
    public static final int BODY_BYTES_MAX = FrameHeader.FRAME_BYTES_MAX - FrameHeader.BYTES - TAG_BYTES;

    /// A key seals at most this many frames (NIST SP 800-38D section 8.3); then the connection is made anew.
    public static final long FRAMES_MAX = 1L << 32;

    private static final int NONCE_BYTES = 12;

    private final long session;
    private final SecretKey outKey;
    private final SecretKey inKey;
    private final NonceWitness witness;
    private final String outKeyHash;
    private final Cipher cipher;
    private long sent;
    private long received;

    SealedChannel(long session, SecretKey outKey, SecretKey inKey, NonceWitness witness) {
        this.session = session;
        this.outKey = outKey;
        this.inKey = inKey;
        this.witness = witness;
        try {
            this.cipher = Cipher.getInstance("AES/GCM/NoPadding");
            this.outKeyHash = witness.equals(NonceWitness.NONE)
                    ? ""
                    : HexFormat.of()
                            .formatHex(MessageDigest.getInstance("SHA-256").digest(outKey.getEncoded()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("AES/GCM and SHA-256 are part of every JDK", e);
        }
    }

    /// Sealed frames that left, which is also the next sequence number.
    public long sent() {
        return sent;
    }

    /// Sealed frames that were taken in.
    public long received() {
        return received;
    }

    /// Whether the key is used up, so that this connection must be replaced.
    public boolean exhausted() {
        return sent >= FRAMES_MAX || received >= FRAMES_MAX;
    }

    /// Seals one body into a frame. Each frame that was sealed must be sent, in order, on this connection.
    public byte[] seal(FrameType type, Body body, int credit) {
        if (sent >= FRAMES_MAX) {
            throw new IllegalStateException("the key of session " + session + " is used up; make a new connection");
        }
        byte[] plain = body.bytes();
        if (plain.length > BODY_BYTES_MAX) {
            throw new IllegalArgumentException("a body of " + plain.length + " bytes; at most " + BODY_BYTES_MAX);
        }
        int length = plain.length + TAG_BYTES;
        var frame = new byte[FrameHeader.BYTES + length];
        new FrameHeader(type, FrameHeader.SEALED, length, session, sent, received, body.records(), credit)
                .write(ByteBuffer.wrap(frame));
        witness.sealing(outKeyHash, sent);
        try {
            cipher.init(Cipher.ENCRYPT_MODE, outKey, nonce(sent));
            cipher.updateAAD(frame, 0, FrameHeader.BYTES);
            cipher.doFinal(plain, 0, plain.length, frame, FrameHeader.BYTES);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("AES-256-GCM failed to seal; is the JDK complete?", e);
        }
        sent++;
        return frame;
    }

    /// Opens the next frame of the other direction.
    ///
    /// @throws FrameException when it is not exactly the next one, unchanged, of this session: cut the connection
    public Frame open(byte[] bytes) throws FrameException {
        FrameHeader header = FrameHeader.read(bytes);
        if (!header.sealed() || header.session() != session) {
            throw new FrameException("not a sealed frame of session " + Long.toUnsignedString(session));
        }
        if (header.seq() != received || received >= FRAMES_MAX) {
            throw new FrameException("frame " + Long.toUnsignedString(header.seq()) + " came where " + received
                    + " is due: replayed, lost or reordered");
        }
        if (header.ack() < 0 || header.ack() > sent) {
            throw new FrameException("the other end counts " + Long.toUnsignedString(header.ack()) + " frames of the "
                    + sent + " that left");
        }
        byte[] plain;
        try {
            cipher.init(Cipher.DECRYPT_MODE, inKey, nonce(received));
            cipher.updateAAD(bytes, 0, FrameHeader.BYTES);
            plain = cipher.doFinal(bytes, FrameHeader.BYTES, bytes.length - FrameHeader.BYTES);
        } catch (GeneralSecurityException e) {
            throw new FrameException("frame " + header.seq() + " was changed, or sealed under another key");
        }
        received++;
        return new Frame(header, plain);
    }

    /// The same bytes as the key of the other end's direction? For tests of the key schedule.
    boolean mirrors(SealedChannel other) {
        return Arrays.equals(outKey.getEncoded(), other.inKey.getEncoded())
                && Arrays.equals(inKey.getEncoded(), other.outKey.getEncoded());
    }

    private static GCMParameterSpec nonce(long seq) {
        return new GCMParameterSpec(
                TAG_BYTES * 8,
                ByteBuffer.allocate(NONCE_BYTES).putInt(0).putLong(seq).array());
    }

    @Override
    public String toString() {
        return "SealedChannel[session " + Long.toUnsignedString(session) + ", sent " + sent + ", received " + received
                + "]";
    }
}
