package dev.vigil.scheduler.worker;

import dev.vigil.protocol.link.Inbox;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.zeromq.ZMQ;
import org.zeromq.ZMQException;
import zmq.Msg;
import zmq.io.Metadata;

/// The platform thread that owns the ROUTER. Everybody else hands it work through a queue and a wake-up pipe; nothing
/// ever interrupts it (JeroMQ issues 190, 834, 853). If one of JeroMQ's own threads dies, which leaves a ROUTER
/// silent for ever without closing anything, the whole context is made anew.
final class RouterLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RouterLoop.class);
    private static final int IO_THREADS = 2;
    private static final int SEND_HIGH_WATER_MARK = 4_096;
    private static final int BURST = 256;
    private static final Duration TICK = Duration.ofMillis(200);
    private static final int HANDSHAKE_MILLIS = 2_000;

    private final Traffic traffic;
    private final IntPredicate made;
    private final long frameBytesMax;
    private final Inbox inbox = new Inbox();
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile boolean stopping;
    private volatile boolean healthy;
    private volatile int port;
    private volatile boolean ioThreadDied;
    private ZMQ.@Nullable Context context;
    private ZMQ.@Nullable Socket router;

    /// What the loop does with what comes. All calls come on the loop's thread.
    interface Traffic {
        /// A message of the connection with that loopback port.
        void message(int port, byte[] routingId, byte[] frame);

        /// About five times a second.
        void tick();

        /// The ROUTER is about to be made anew: every connection ends.
        void rebuilding();
    }

    /// @param made whether the terminator made the connection that comes from this loopback port
    /// @param frameBytesMax messages above this are refused by JeroMQ as well
    RouterLoop(Traffic traffic, IntPredicate made, long frameBytesMax) throws IOException {
        this.traffic = traffic;
        this.made = made;
        this.frameBytesMax = frameBytesMax;
    }

    /// Binds the ROUTER and carries messages from now on.
    void start() {
        build();
        Thread.ofPlatform().daemon().name("link-router").start(this::run);
    }

    /// Loopback port of the ROUTER. Changes when the context is made anew.
    int port() {
        return port;
    }

    /// Whether messages are being carried.
    boolean healthy() {
        return healthy && !ioThreadDied;
    }

    /// Runs this on the loop's thread, soon. After [#close()] it is dropped.
    void execute(Runnable task) {
        inbox.add(task);
    }

    /// Sends one frame. Only on the loop's thread.
    ///
    /// @return false when the connection is gone or takes nothing more; it must then be cut, for its count has a
    ///     gap
    boolean send(byte[] routingId, byte[] frame) {
        ZMQ.Socket socket = router;
        if (socket == null) {
            return false;
        }
        try {
            return socket.send(routingId, ZMQ.SNDMORE | ZMQ.DONTWAIT) && socket.send(frame, ZMQ.DONTWAIT);
        } catch (ZMQException e) {
            // EHOSTUNREACH: the peer went away between our look and our send.
            return false;
        }
    }

    private void build() {
        ioThreadDied = false;
        ZMQ.Context fresh = ZMQ.context(IO_THREADS);
        fresh.setUncaughtExceptionHandler((thread, error) -> {
            LOG.error("event=link_io_thread_died thread={} rebuilt=true", thread.getName(), error);
            ioThreadDied = true;
        });
        fresh.setNotificationExceptionHandler((thread, error) ->
                LOG.warn("event=link_io_exception thread={} reason=\"{}\"", thread.getName(), error.toString()));
        ZMQ.Socket socket = fresh.socket(org.zeromq.SocketType.ROUTER);
        socket.setMaxMsgSize(frameBytesMax);
        socket.setRcvHWM(0);
        socket.setSndHWM(SEND_HIGH_WATER_MARK);
        socket.setRouterMandatory(true);
        socket.setRouterHandover(false);
        socket.setLinger(0);
        socket.setHandshakeIvl(HANDSHAKE_MILLIS);
        socket.base().setEventHook(this::accepted, zmq.ZMQ.ZMQ_EVENT_ACCEPTED);
        socket.bind("tcp://127.0.0.1:*");
        String endpoint = socket.getLastEndpoint();
        port = Integer.parseInt(endpoint.substring(endpoint.lastIndexOf(':') + 1));
        context = fresh;
        router = socket;
        healthy = true;
    }

    /// Runs on JeroMQ's I/O thread for each connection: whoever is not our terminator is cut before it can say a
    /// word.
    private void accepted(zmq.ZMQ.Event event) {
        if (event.arg instanceof SocketChannel channel) {
            try {
                SocketAddress peer = channel.getRemoteAddress();
                if (!(peer instanceof InetSocketAddress address) || !made.test(address.getPort())) {
                    LOG.warn("event=link_stranger_cut peer={}", peer);
                    channel.shutdownInput();
                }
            } catch (IOException e) {
                LOG.debug("event=link_accept_gone reason=\"{}\"", e.getMessage());
            }
        }
    }

    private void run() {
        try {
            while (!stopping) {
                carryUntilBroken();
                if (!stopping) {
                    rebuild();
                }
            }
        } finally {
            healthy = false;
            shut();
            ended.countDown();
        }
    }

    private void carryUntilBroken() {
        ZMQ.Context current = java.util.Objects.requireNonNull(context);
        ZMQ.Socket socket = java.util.Objects.requireNonNull(router);
        try (ZMQ.Poller poller = current.poller(2)) {
            poller.register(socket, ZMQ.Poller.POLLIN);
            poller.register(inbox.channel(), ZMQ.Poller.POLLIN);
            long nextTick = System.nanoTime();
            while (!stopping && !ioThreadDied) {
                boolean more = receiveBurst(socket);
                boolean worked = inbox.drain(BURST);
                long now = System.nanoTime();
                if (now - nextTick >= 0) {
                    nextTick = now + TICK.toNanos();
                    Inbox.run(traffic::tick);
                }
                if (!more && !worked) {
                    long millis = Math.max(1, (nextTick - now) / 1_000_000);
                    inbox.park(() -> poller.poll(millis));
                }
            }
        } catch (ZMQException e) {
            LOG.error("event=link_router_failed rebuilt=true", e);
        }
    }

    private boolean receiveBurst(ZMQ.Socket socket) {
        for (int i = 0; i < BURST; i++) {
            Msg id = socket.recvMsg(ZMQ.DONTWAIT);
            if (id == null) {
                return false;
            }
            Msg body = socket.recvMsg(ZMQ.DONTWAIT);
            boolean single = body != null && !body.hasMore();
            while (body != null && body.hasMore()) {
                body = socket.recvMsg(ZMQ.DONTWAIT);
            }
            if (single) {
                deliver(id, body);
            }
        }
        return true;
    }

    private void deliver(Msg id, Msg body) {
        Metadata metadata = body.getMetadata();
        String peer = metadata == null ? null : metadata.get(Metadata.PEER_ADDRESS);
        if (peer == null || peer.lastIndexOf(':') < 0) {
            return;
        }
        try {
            int from = Integer.parseInt(peer.substring(peer.lastIndexOf(':') + 1));
            byte[] frame = body.data();
            Inbox.run(() -> traffic.message(from, id.data(), frame));
        } catch (NumberFormatException e) {
            LOG.warn("event=link_peer_address_unreadable");
        }
    }

    private void rebuild() {
        healthy = false;
        Inbox.run(traffic::rebuilding);
        shut();
        build();
        LOG.warn("event=link_rebuilt port={}", port);
    }

    private void shut() {
        ZMQ.Socket socket = router;
        ZMQ.Context old = context;
        router = null;
        context = null;
        if (socket != null) {
            socket.close();
        }
        if (old != null) {
            // A context with a dead I/O thread never finishes closing.
            Thread.ofPlatform().daemon().name("link-context-end").start(old::term);
        }
    }

    /// Stops the thread and waits for it, five seconds at most.
    @Override
    public void close() {
        stopping = true;
        execute(() -> {});
        try {
            if (!ended.await(5, TimeUnit.SECONDS)) {
                LOG.warn("event=link_router_still_running");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
