package dev.vigil.scheduler.worker;

import dev.vigil.protocol.link.Bodies;
import dev.vigil.protocol.link.Body;
import dev.vigil.protocol.link.Frame;
import dev.vigil.protocol.link.FrameException;
import dev.vigil.protocol.link.FrameType;
import dev.vigil.protocol.link.Handshake;
import dev.vigil.protocol.link.Heartbeat;
import dev.vigil.protocol.link.HeartbeatHash;
import dev.vigil.protocol.link.NonceWitness;
import dev.vigil.protocol.link.SealedChannel;
import java.security.SecureRandom;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// One connection of one worker: handshake, counters, heartbeats. Belongs to the ROUTER's thread.
final class Connection {
    private static final SecureRandom RANDOM = new SecureRandom();

    private final Carrier carrier;
    private final byte[] routingId;
    private @Nullable WorkerSession session;
    private @Nullable SealedChannel channel;
    private @Nullable HeartbeatHash hash;
    private boolean active;
    private long heardAt = System.nanoTime();
    private long heartbeat;
    private long signedHeartbeat;
    private boolean suspended;
    private int credit;

    Connection(Carrier carrier, byte[] routingId) {
        this.carrier = carrier;
        this.routingId = routingId.clone();
    }

    /// The ROUTER gives ids of zero and four bytes; a peer that names itself is not one of ours.
    static boolean givenByRouter(byte[] routingId) {
        return routingId.length == 5 && routingId[0] == 0;
    }

    Carrier carrier() {
        return carrier;
    }

    byte[] routingId() {
        return routingId;
    }

    boolean from(byte[] id) {
        return Arrays.equals(routingId, id);
    }

    boolean greeted() {
        return channel != null;
    }

    /// Takes the HELLO in.
    ///
    /// @return the WELCOME to send
    byte[] greet(WorkerSession agreed, byte[] hello, NonceWitness witness) throws FrameException {
        var random = new byte[32];
        RANDOM.nextBytes(random);
        Handshake.Accepted accepted =
                Handshake.accept(agreed.terms(), agreed.secret(), hello, new Handshake.CoreEnd(random, witness));
        session = agreed;
        channel = accepted.channel();
        hash = new HeartbeatHash(accepted.transcript());
        return accepted.welcome();
    }

    WorkerSession session() {
        return java.util.Objects.requireNonNull(session, "no HELLO yet");
    }

    private SealedChannel channel() {
        return java.util.Objects.requireNonNull(channel, "no HELLO yet");
    }

    Frame open(byte[] bytes) throws FrameException {
        return channel().open(bytes);
    }

    byte[] seal(FrameType type, Body body) {
        return channel().seal(type, body, credit);
    }

    byte[] sealError(String code, String text) {
        return seal(FrameType.ERROR, Bodies.error(code, text));
    }

    boolean exhausted() {
        return channel != null && channel.exhausted();
    }

    /// The first sealed frame proves that the other end has the session's secret: from here on it speaks for its
    /// boot.
    void activate() {
        active = true;
        carrier.activate();
        heardAt = System.nanoTime();
    }

    boolean active() {
        return active;
    }

    /// The grant in force, which every frame to the worker repeats.
    void credit(int granted) {
        credit = granted;
    }

    /// Takes a heartbeat in.
    ///
    /// @throws FrameException when it is not the next one
    void hear(Heartbeat heard) throws FrameException {
        if (heard.number() != heartbeat + 1) {
            throw new FrameException("heartbeat " + heard.number() + " came where " + (heartbeat + 1) + " is due");
        }
        heartbeat = heard.number();
        heardAt = System.nanoTime();
        HeartbeatHash running = java.util.Objects.requireNonNull(hash);
        running.add(heard.unsigned());
        if (heard.signature().length > 0) {
            if (!running.signedBy(carrier.key(), heard.signature())) {
                suspended = true;
                return;
            }
            signedHeartbeat = heartbeat;
            suspended = false;
        } else if (heartbeat - signedHeartbeat >= HeartbeatHash.SIGNED_EVERY) {
            suspended = true;
        }
    }

    /// Whether dispatches are withheld because a signature is missing or wrong. The first heartbeat is signed, so a
    /// worker is not suspended between READY and it.
    boolean suspended() {
        return suspended || (heartbeat > 0 && signedHeartbeat == 0);
    }

    /// The newest heartbeat heard; 0 before the first.
    long heartbeat() {
        return heartbeat;
    }

    long nanosSinceHeard() {
        return System.nanoTime() - heardAt;
    }

    @Override
    public String toString() {
        return "Connection[" + carrier + ", " + session + "]";
    }
}
