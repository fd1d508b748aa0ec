package dev.vigil.agent.link;

import dev.vigil.protocol.identity.Identity;
import dev.vigil.protocol.link.Bodies;
import dev.vigil.protocol.link.Body;
import dev.vigil.protocol.link.Frame;
import dev.vigil.protocol.link.FrameException;
import dev.vigil.protocol.link.FrameHeader;
import dev.vigil.protocol.link.FrameType;
import dev.vigil.protocol.link.Handshake;
import dev.vigil.protocol.link.HeartbeatHash;
import dev.vigil.protocol.link.Held;
import dev.vigil.protocol.link.NonceWitness;
import dev.vigil.protocol.link.SealedChannel;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.zeromq.SocketType;
import org.zeromq.ZMQ;
import org.zeromq.ZMQException;

/// One connection to one core: a DEALER that lives as long as its TLS connection and is never connected twice, the
/// handshake, the counters, the heartbeats, the credits. Belongs to the link's thread.
final class CoreConnection implements AutoCloseable {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int HANDSHAKE_MILLIS = 1_000;
    private static final int BEATS_KEPT = 16;

    private final Dialer.Line line;
    private final Bridge bridge;
    private final ZMQ.Socket dealer;
    private final NonceWitness witness;
    private final byte[] hello;
    private final Deque<Beat> beats = new ArrayDeque<>();
    private final long openedAt = System.nanoTime();
    private @Nullable SealedChannel channel;
    private @Nullable HeartbeatHash hash;
    private long heartbeat;
    private long signedHeartbeat;
    private long answeredAt = openedAt;
    private int granted;
    private int received;
    private int ceiling;
    private long loweredAt = -1;
    private int backlog;
    private boolean grantWaits;
    private boolean left;
    private final SendWindow window = new SendWindow();

    /// A heartbeat that was sent.
    record Beat(long number, long sentAt, List<Held> held) {}

    /// Connects a new DEALER to the line and sends HELLO.
    CoreConnection(ZMQ.Context context, Dialer.Line line, NonceWitness witness, Bridge.Outcome outcome)
            throws IOException {
        this.line = line;
        this.witness = witness;
        this.bridge = new Bridge(line);
        var random = new byte[32];
        RANDOM.nextBytes(random);
        this.hello = Handshake.hello(line.session().terms(), line.session().secret(), random);
        this.dealer = context.socket(SocketType.DEALER);
        dealer.setMaxMsgSize(FrameHeader.FRAME_BYTES_MAX);
        dealer.setRcvHWM(0);
        dealer.setSndHWM(0);
        dealer.setLinger(0);
        dealer.setHandshakeIvl(HANDSHAKE_MILLIS);
        // One DEALER, one connection: a new one needs a new handshake, and that makes everything anew.
        dealer.setReconnectIVL(-1);
        dealer.base().setEventHook(this::connected, zmq.ZMQ.ZMQ_EVENT_CONNECTED);
        bridge.open(outcome);
        dealer.connect(bridge.endpoint());
        dealer.send(hello, ZMQ.DONTWAIT);
    }

    private void connected(zmq.ZMQ.Event event) {
        if (event.arg instanceof SocketChannel connection) {
            bridge.connected(connection);
        }
    }

    Dialer.Line line() {
        return line;
    }

    ZMQ.Socket dealer() {
        return dealer;
    }

    /// The next message, if one is there.
    Optional<byte[]> poll() {
        return Optional.ofNullable(dealer.recv(ZMQ.DONTWAIT));
    }

    boolean welcomed() {
        return channel != null;
    }

    /// Takes the WELCOME in; from here on the connection is this worker's.
    void welcome(byte[] message) throws FrameException {
        Handshake.Accepted accepted = Handshake.finish(
                line.session().terms(), line.session().secret(), hello, new Handshake.WorkerEnd(message, witness));
        channel = accepted.channel();
        hash = new HeartbeatHash(accepted.transcript());
        answeredAt = System.nanoTime();
    }

    Frame open(byte[] message) throws FrameException {
        Frame frame = channel().open(message);
        window.acknowledged(frame.header().ack());
        // A lowered grant is in force once the core has taken in the frame that lowered it; until then the core may
        // still use the old one.
        if (loweredAt >= 0 && frame.header().ack() > loweredAt) {
            granted = frame.header().credit();
            loweredAt = -1;
        }
        return frame;
    }

    /// Seals and sends one frame.
    ///
    /// @return false when the connection takes nothing more; it must be closed
    boolean send(FrameType type, Body body) {
        try {
            grantWaits = false;
            if (type == FrameType.LOG || type == FrameType.PROGRESS) {
                window.sent(channel().sent(), body.bytes().length);
            }
            return dealer.send(channel().seal(type, body, granted), ZMQ.DONTWAIT);
        } catch (ZMQException e) {
            return false;
        }
    }

    /// This worker leaves.
    ///
    /// @return true the first time
    boolean leaves() {
        boolean first = !left;
        left = true;
        return first;
    }

    /// Whether this worker has said that it leaves. Nothing more may be sent then: a core that has answered does
    /// not know the connection any more.
    boolean hasLeft() {
        return left;
    }

    /// How many bytes of logs and progress the core can be sent now.
    int room() {
        return window.room();
    }

    private SealedChannel channel() {
        return Objects.requireNonNull(channel, "no WELCOME yet");
    }

    /// Sends the next heartbeat, signed when it is the first or a minute has passed.
    boolean beat(List<Held> held, Identity identity) {
        heartbeat++;
        HeartbeatHash running = Objects.requireNonNull(hash);
        byte[] unsigned = Bodies.heartbeat(heartbeat, held);
        running.add(unsigned);
        boolean due = signedHeartbeat == 0 || heartbeat - signedHeartbeat >= HeartbeatHash.SIGNED_EVERY - 1;
        byte[] signature = new byte[0];
        if (due) {
            signature = identity.sign(running.statement());
            signedHeartbeat = heartbeat;
        }
        beats.addLast(new Beat(heartbeat, System.nanoTime(), held));
        if (beats.size() > BEATS_KEPT) {
            beats.removeFirst();
        }
        return send(FrameType.HEARTBEAT, Bodies.heartbeat(unsigned, signature));
    }

    /// The heartbeat of that number, if it was sent lately.
    Optional<Beat> beat(long number) {
        return beats.stream().filter(beat -> beat.number() == number).findFirst();
    }

    void answered(int reportedBacklog) {
        answeredAt = System.nanoTime();
        backlog = reportedBacklog;
    }

    long nanosSinceAnswer() {
        return System.nanoTime() - answeredAt;
    }

    long nanosOpen() {
        return System.nanoTime() - openedAt;
    }

    boolean exhausted() {
        return channel != null && channel.exhausted();
    }

    /// Credits that the core may still use.
    int outstanding() {
        return (loweredAt >= 0 ? ceiling : granted) - received;
    }

    CreditDeal.Stand stand() {
        return new CreditDeal.Stand(outstanding(), backlog);
    }

    void took(int dispatches) {
        received += dispatches;
    }

    /// Grants more.
    ///
    /// @return false while a lowered grant is under way
    boolean raise(int by) {
        if (loweredAt >= 0) {
            return false;
        }
        granted += by;
        return true;
    }

    /// The grant grew and the core does not know it yet.
    void grantWaits() {
        grantWaits = true;
    }

    /// Whether a grant still waits for a frame that carries it.
    boolean takeGrantWaits() {
        boolean waits = grantWaits;
        grantWaits = false;
        return waits;
    }

    /// Asks for credits back. They are free only when the core has said so.
    void lowerTo(int outstanding) {
        if (loweredAt < 0 && outstanding < outstanding()) {
            ceiling = granted;
            granted = received + outstanding;
            loweredAt = channel().sent();
        }
    }

    @Override
    public void close() {
        bridge.close();
        // The DEALER's own end is the link's thread's; closing it twice is harmless.
        dealer.close();
    }

    @Override
    public String toString() {
        return "CoreConnection[" + line.session() + "]";
    }
}
