package dev.vigil.agent.link;

import dev.vigil.protocol.link.Relay;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// The way from a DEALER to the TLS connection of its core: a loopback door that opens once, for the DEALER alone.
/// Another process of this machine that finds the door is turned away, for it comes from another port.
final class Bridge implements AutoCloseable {
    private static final int ACCEPT_MILLIS = 2_000;
    private static final int FIRST_BYTES_MILLIS = 250;

    private final Dialer.Line line;
    private final CompletableFuture<Integer> dealerPort = new CompletableFuture<>();
    private final ServerSocket door;
    private @Nullable Relay relay;
    private boolean closed;

    /// How a bridge came out.
    interface Outcome {
        /// JeroMQ connected and then said nothing (upstream pull request 1022): the DEALER must be made anew, the
        /// TLS connection is still good.
        void stuck();

        /// It has ended, or never came to be.
        void ended();
    }

    Bridge(Dialer.Line line) throws IOException {
        this.line = line;
        this.door = new ServerSocket();
        door.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 4);
        door.setSoTimeout(ACCEPT_MILLIS);
    }

    String endpoint() {
        return "tcp://127.0.0.1:" + door.getLocalPort();
    }

    /// Runs on JeroMQ's I/O thread once the DEALER is connected.
    void connected(SocketChannel channel) {
        try {
            dealerPort.complete(((InetSocketAddress) channel.getLocalAddress()).getPort());
        } catch (IOException e) {
            dealerPort.completeExceptionally(e);
        }
    }

    void open(Outcome outcome) {
        Thread.ofVirtual().name("link-bridge").start(() -> carry(outcome));
    }

    private void carry(Outcome outcome) {
        try {
            Socket loopback = accept();
            loopback.setTcpNoDelay(true);
            loopback.setSoTimeout(FIRST_BYTES_MILLIS);
            var first = new byte[4_096];
            int length;
            try {
                length = loopback.getInputStream().read(first);
            } catch (SocketTimeoutException e) {
                loopback.close();
                door.close();
                outcome.stuck();
                return;
            }
            loopback.setSoTimeout(0);
            if (length < 0) {
                throw new IOException("the DEALER closed before it spoke");
            }
            door.close();
            line.secure().getOutputStream().write(first, 0, length);
            line.secure().getOutputStream().flush();
            start(loopback, outcome);
        } catch (IOException e) {
            close();
            outcome.ended();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            close();
            outcome.ended();
        }
    }

    private Socket accept() throws IOException, InterruptedException {
        while (true) {
            Socket guest = door.accept();
            try {
                if (guest.getPort() == dealerPort.get(1, TimeUnit.SECONDS)) {
                    return guest;
                }
            } catch (ExecutionException | TimeoutException e) {
                guest.close();
                throw new IOException("the DEALER did not say where it connected from", e);
            }
            guest.close();
        }
    }

    private synchronized void start(Socket loopback, Outcome outcome) throws IOException {
        if (closed) {
            loopback.close();
            throw new IOException("the bridge was closed meanwhile");
        }
        relay = Relay.start(
                new Relay.End(line.secure(), line.raw()),
                new Relay.End(loopback, loopback),
                Relay.Gate.OPEN,
                outcome::ended);
    }

    /// Cuts the connection.
    @Override
    public synchronized void close() {
        closed = true;
        try {
            door.close();
            line.raw().close();
        } catch (IOException e) {
            // Sockets that fail to close are closed.
        }
        if (relay != null) {
            relay.cut();
        }
    }
}
