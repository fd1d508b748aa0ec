package dev.vigil.scheduler.worker;

import dev.vigil.protocol.identity.SpiffeId;
import dev.vigil.protocol.identity.TlsContexts;
import dev.vigil.protocol.link.Relay;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import java.util.function.Predicate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The only door to the ROUTER: accepts TLS 1.3 with a client certificate of our CA, then connects to the ROUTER's
/// loopback port on the worker's behalf. It knows the local port of each connection it makes, so the ROUTER can tell
/// them from those that any other process of this machine might make.
final class Terminator implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Terminator.class);
    private static final int HANDSHAKE_SECONDS = 5;
    private static final int GREETING_SECONDS = 3;
    private static final int BACKLOG = 256;

    private final WorkerLinkSettings settings;
    private final SSLContext tls;
    private final InstantSource clock;
    private final IntSupplier routerPort;
    private final Predicate<Carrier> admitted;
    private final Consumer<Carrier> gone;
    private final ServerSocket listener;
    private final Map<Integer, Carrier> carriers = new ConcurrentHashMap<>();
    private final Map<InetAddress, Integer> perAddress = new ConcurrentHashMap<>();
    private final ScheduledExecutorService timer;
    private volatile boolean closed;

    /// What a terminator stands between.
    ///
    /// @param routerPort loopback port of the ROUTER of the moment
    /// @param admitted   whether this worker with this certificate has a session at all
    /// @param ended      told of each connection that has ended
    record Doors(IntSupplier routerPort, Predicate<Carrier> admitted, Consumer<Carrier> ended) {}

    Terminator(WorkerLinkSettings settings, SSLContext tls, InstantSource clock, Doors doors) throws IOException {
        this.settings = settings;
        this.tls = tls;
        this.clock = clock;
        this.routerPort = doors.routerPort();
        this.admitted = doors.admitted();
        this.gone = doors.ended();
        this.listener = new ServerSocket(settings.linkPort(), BACKLOG, settings.address());
        var executor = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().daemon().name("link-timer").factory());
        executor.setRemoveOnCancelPolicy(true);
        this.timer = executor;
    }

    void start() {
        Thread.ofPlatform().daemon().name("link-accept").start(this::acceptUntilClosed);
    }

    int port() {
        return listener.getLocalPort();
    }

    /// The connection behind a loopback port, if this terminator made it.
    Optional<Carrier> carrier(int port) {
        return Optional.ofNullable(carriers.get(port));
    }

    /// Cuts everything, because the ROUTER behind it is made anew.
    void cutAll() {
        carriers.values().forEach(Carrier::cut);
    }

    /// Cuts every connection of one worker.
    void cut(UUID worker) {
        carriers.values().stream()
                .filter(carrier -> carrier.worker().equals(worker))
                .forEach(Carrier::cut);
    }

    boolean listening() {
        return !closed && !listener.isClosed();
    }

    private void acceptUntilClosed() {
        while (!closed) {
            try {
                Socket raw = listener.accept();
                Thread.ofVirtual().name("link-handshake").start(() -> serve(raw));
            } catch (IOException e) {
                if (!closed) {
                    LOG.warn("event=link_accept_failed reason=\"{}\"", e.getMessage());
                }
            }
        }
    }

    private void serve(Socket raw) {
        InetAddress address = raw.getInetAddress();
        int ofAddress = perAddress.merge(address, 1, Integer::sum);
        Runnable done = () -> perAddress.computeIfPresent(address, (a, n) -> n == 1 ? null : n - 1);
        if (ofAddress > settings.connectionsPerAddressMax() || carriers.size() >= settings.connectionsMax()) {
            close(raw);
            done.run();
            return;
        }
        // A total limit, because a limit per read lets a peer send one byte at a time for ever.
        ScheduledFuture<?> late = timer.schedule(() -> close(raw), HANDSHAKE_SECONDS, TimeUnit.SECONDS);
        try {
            raw.setTcpNoDelay(true);
            var secure =
                    (SSLSocket) tls.getSocketFactory().createSocket(raw, address.getHostAddress(), raw.getPort(), true);
            secure.setUseClientMode(false);
            SSLParameters parameters = TlsContexts.parameters();
            parameters.setNeedClientAuth(true);
            secure.setSSLParameters(parameters);
            secure.startHandshake();
            carry(raw, secure, done);
        } catch (IOException | IllegalArgumentException e) {
            LOG.info("event=link_refused address={} reason=\"{}\"", address.getHostAddress(), e.getMessage());
            close(raw);
            done.run();
        } finally {
            late.cancel(false);
        }
    }

    private void carry(Socket raw, SSLSocket secure, Runnable done) throws IOException {
        var certificate = (X509Certificate) secure.getSession().getPeerCertificates()[0];
        UUID worker = SpiffeId.of(certificate)
                .flatMap(SpiffeId::worker)
                .orElseThrow(() -> new IOException("the certificate is not a worker's"));
        // A resumed TLS session would bring an ended certificate back to life.
        if (!clock.instant().isBefore(certificate.getNotAfter().toInstant())) {
            throw new IOException("the certificate of worker " + worker + " ended");
        }
        var loopback = new Socket();
        loopback.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        loopback.setTcpNoDelay(true);
        var carrier = new Carrier(loopback.getLocalPort(), worker, certificate);
        if (!admitted.test(carrier)) {
            close(loopback);
            throw new IOException("worker " + worker + " has no session under this certificate; it asks for one first");
        }
        carriers.put(carrier.port(), carrier);
        // Greeting, READY, HELLO, first sealed frame: whoever takes longer holds memory for nothing. JeroMQ's own timer
        // stops after the greeting (facts: F6, slow-loris).
        ScheduledFuture<?> reaper = timer.schedule(
                () -> {
                    if (!carrier.active()) {
                        LOG.info("event=link_reaped worker={} reason=\"no sealed frame within 3 s\"", worker);
                        carrier.cut();
                    }
                },
                GREETING_SECONDS,
                TimeUnit.SECONDS);
        Runnable ended = () -> {
            reaper.cancel(false);
            carriers.remove(carrier.port(), carrier);
            carrier.cut();
            gone.accept(carrier);
            done.run();
        };
        try {
            loopback.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), routerPort.getAsInt()));
        } catch (IOException e) {
            reaper.cancel(false);
            carriers.remove(carrier.port(), carrier);
            close(loopback);
            throw e;
        }
        var tlsEnd = new Relay.End(secure, raw);
        carrier.carriedBy(
                Relay.start(tlsEnd, new Relay.End(loopback, loopback), new ZmtpGate(carrier::reserve), ended));
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // A socket that fails to close is closed.
        }
    }

    @Override
    public void close() {
        closed = true;
        try {
            listener.close();
        } catch (IOException e) {
            LOG.warn("event=link_port_not_closed reason=\"{}\"", e.getMessage());
        }
        cutAll();
        timer.shutdownNow();
    }
}
