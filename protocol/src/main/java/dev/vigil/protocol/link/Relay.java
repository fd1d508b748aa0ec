package dev.vigil.protocol.link;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicBoolean;

/// Carries bytes between a TLS socket and a loopback socket, both ways, on two virtual threads, until either ends or
/// [#cut()] is called. It understands nothing of what it carries; a [Gate] may.
public final class Relay {
    private static final int BUFFER = 64 * 1024;

    private final End tls;
    private final End loopback;
    private final Runnable ended;
    private final AtomicBoolean cut = new AtomicBoolean();

    /// One side of a relay.
    ///
    /// @param stream the socket that is read and written
    /// @param raw    the TCP socket below it, whose close ends everything at once; the same as `stream` without TLS
    public record End(Socket stream, Socket raw) {}

    /// Looks at what comes from outside before it is passed on.
    @FunctionalInterface
    public interface Gate {
        /// Passes everything.
        Gate OPEN = (bytes, length) -> {};

        /// Looks at the next bytes.
        ///
        /// @throws IOException when the bytes are not to be passed on; the connection is cut
        void pass(byte[] bytes, int length) throws IOException;
    }

    private Relay(End tls, End loopback, Runnable ended) {
        this.tls = tls;
        this.loopback = loopback;
        this.ended = ended;
    }

    /// Starts to carry.
    ///
    /// @param gate  looks at what comes from the TLS side
    /// @param ended called once, when the relay has ended
    public static Relay start(End tls, End loopback, Gate gate, Runnable ended) {
        var relay = new Relay(tls, loopback, ended);
        Thread.ofVirtual().name("link-in").start(() -> relay.pump(tls.stream(), loopback.stream(), gate));
        Thread.ofVirtual().name("link-out").start(() -> relay.pump(loopback.stream(), tls.stream(), Gate.OPEN));
        return relay;
    }

    private void pump(Socket from, Socket to, Gate gate) {
        var buffer = new byte[BUFFER];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                gate.pass(buffer, n);
                out.write(buffer, 0, n);
                out.flush();
            }
        } catch (IOException e) {
            // The other side went away, or the gate refused: both end the relay, and the ends see it as a closed
            // connection.
        } finally {
            cut();
        }
    }

    /// Ends both connections at once, without waiting for what is under way.
    public void cut() {
        if (cut.compareAndSet(false, true)) {
            close(tls.raw());
            close(loopback.raw());
            ended.run();
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // A socket that fails to close is closed.
        }
    }
}
