package dev.vigil.protocol.link;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;
import javax.crypto.SecretKey;

/// HELLO and WELCOME: each carries 32 fresh random bytes and a MAC under a key of the session's secret. The
/// connection's keys depend on both randoms, so a recorded HELLO opens nothing.
public final class Handshake {
    private static final int MAC_BYTES = 32;
    private static final int BODY = LinkSecrets.RANDOM_BYTES + MAC_BYTES;

    private Handshake() {}

    /// The worker's first frame.
    ///
    /// @param random 32 bytes, fresh for every connection
    public static byte[] hello(SessionTerms terms, byte[] secret, byte[] random) {
        byte[] head = head(FrameType.HELLO, terms.session(), random);
        return concat(head, LinkSecrets.mac(macKey(terms, secret, "hello"), head));
    }

    /// The session that a HELLO asks for; nothing is verified yet.
    ///
    /// @throws FrameException when the frame is no HELLO
    public static long sessionOf(byte[] hello) throws FrameException {
        return header(hello, FrameType.HELLO).session();
    }

    /// The core's side: verifies the HELLO and answers it.
    ///
    /// @throws FrameException when the HELLO was not made with this session's secret
    public static Accepted accept(SessionTerms terms, byte[] secret, byte[] hello, CoreEnd end) throws FrameException {
        FrameHeader header = header(hello, FrameType.HELLO);
        if (header.session() != terms.session()
                || !verifies(hello, LinkSecrets.mac(macKey(terms, secret, "hello"), head(hello)))) {
            throw new FrameException("HELLO was not made with the secret of session " + terms.session());
        }
        byte[] head = head(FrameType.WELCOME, terms.session(), end.random());
        byte[] welcome = concat(head, LinkSecrets.mac(macKey(terms, secret, "welcome"), hello, head));
        Keys keys = keys(terms, secret, concat(random(hello), end.random()));
        var channel = new SealedChannel(terms.session(), keys.toWorker(), keys.toCore(), end.witness());
        return new Accepted(welcome, channel, transcript(terms, hello, welcome));
    }

    /// The worker's side: verifies the WELCOME to its own HELLO.
    ///
    /// @throws FrameException when it is not the answer of the core that gave the session
    public static Accepted finish(SessionTerms terms, byte[] secret, byte[] hello, WorkerEnd end)
            throws FrameException {
        byte[] welcome = end.welcome();
        FrameHeader header = header(welcome, FrameType.WELCOME);
        if (header.session() != terms.session()
                || !verifies(welcome, LinkSecrets.mac(macKey(terms, secret, "welcome"), hello, head(welcome)))) {
            throw new FrameException("WELCOME does not answer our HELLO of session " + terms.session());
        }
        Keys keys = keys(terms, secret, concat(random(hello), random(welcome)));
        var channel = new SealedChannel(terms.session(), keys.toCore(), keys.toWorker(), end.witness());
        return new Accepted(welcome, channel, transcript(terms, hello, welcome));
    }

    /// What the core brings to the handshake.
    ///
    /// @param random  32 fresh bytes
    /// @param witness sees the nonces of this end
    public record CoreEnd(byte[] random, NonceWitness witness) {}

    /// What the worker brings to the end of the handshake.
    ///
    /// @param welcome the frame that came
    /// @param witness sees the nonces of this end
    public record WorkerEnd(byte[] welcome, NonceWitness witness) {}

    /// A finished handshake.
    ///
    /// @param welcome    the frame to send, or that came
    /// @param channel    this end of the connection
    /// @param transcript what the worker's signed heartbeats are bound to
    public record Accepted(byte[] welcome, SealedChannel channel, byte[] transcript) {}

    private record Keys(SecretKey toCore, SecretKey toWorker) {}

    private static Keys keys(SessionTerms terms, byte[] secret, byte[] randoms) {
        return new Keys(
                LinkSecrets.derive(secret, randoms, terms.info("worker->core")),
                LinkSecrets.derive(secret, randoms, terms.info("core->worker")));
    }

    private static SecretKey macKey(SessionTerms terms, byte[] secret, String label) {
        return LinkSecrets.derive(secret, new byte[0], terms.info(label));
    }

    private static byte[] transcript(SessionTerms terms, byte[] hello, byte[] welcome) {
        return concat(terms.info("transcript"), concat(hello, welcome));
    }

    private static FrameHeader header(byte[] frame, FrameType wanted) throws FrameException {
        FrameHeader header = FrameHeader.read(frame);
        boolean zero = header.seq() == 0 && header.ack() == 0 && header.records() == 0 && header.credit() == 0;
        if (header.type() != wanted || header.flags() != 0 || header.bodyLength() != BODY || !zero) {
            throw new FrameException(
                    "expected " + wanted + ", got " + header.type() + " of " + header.bodyLength() + " bytes");
        }
        return header;
    }

    private static byte[] head(FrameType type, long session, byte[] random) {
        if (random.length != LinkSecrets.RANDOM_BYTES) {
            throw new IllegalArgumentException("handshake random has " + random.length + " bytes; use 32");
        }
        ByteBuffer out = ByteBuffer.allocate(FrameHeader.BYTES + random.length);
        new FrameHeader(type, 0, BODY, session, 0, 0, 0, 0).write(out);
        return out.put(random).array();
    }

    private static byte[] head(byte[] frame) {
        return Arrays.copyOf(frame, FrameHeader.BYTES + LinkSecrets.RANDOM_BYTES);
    }

    private static byte[] random(byte[] frame) {
        return Arrays.copyOfRange(frame, FrameHeader.BYTES, FrameHeader.BYTES + LinkSecrets.RANDOM_BYTES);
    }

    private static boolean verifies(byte[] frame, byte[] mac) {
        return MessageDigest.isEqual(Arrays.copyOfRange(frame, frame.length - MAC_BYTES, frame.length), mac);
    }

    private static byte[] concat(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }
}
