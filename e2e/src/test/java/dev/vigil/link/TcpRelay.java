package dev.vigil.link;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/// A relay between worker and core, outside of TLS: records everything, and can change a byte, swallow everything, or
/// cut.
final class TcpRelay implements AutoCloseable {
    final ByteArrayOutputStream recorded = new ByteArrayOutputStream();
    final AtomicInteger connections = new AtomicInteger();
    volatile int target;
    volatile boolean swallowing;
    private final ServerSocket listener = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final AtomicInteger changes = new AtomicInteger();

    TcpRelay() throws IOException {
        Thread.ofVirtual().start(() -> {
            while (!listener.isClosed()) {
                try {
                    carry(listener.accept());
                } catch (IOException e) {
                    // The next one may work; a closed listener ends the loop.
                }
            }
        });
    }

    String endpoint() {
        return "127.0.0.1:" + listener.getLocalPort();
    }

    /// Flips one bit in each of the next chunks from worker to core.
    void change(int chunks) {
        changes.set(chunks);
    }

    void cutAll() {
        sockets.forEach(TcpRelay::close);
        sockets.clear();
    }

    private void carry(Socket worker) throws IOException {
        var core = new Socket(InetAddress.getLoopbackAddress(), target);
        connections.incrementAndGet();
        sockets.add(worker);
        sockets.add(core);
        Thread.ofVirtual().start(() -> pump(worker, core, true));
        Thread.ofVirtual().start(() -> pump(core, worker, false));
    }

    private void pump(Socket from, Socket to, boolean changing) {
        var buffer = new byte[16_384];
        try {
            for (int n = from.getInputStream().read(buffer);
                    n >= 0;
                    n = from.getInputStream().read(buffer)) {
                synchronized (recorded) {
                    recorded.write(buffer, 0, n);
                }
                if (changing && changes.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                    buffer[n / 2] ^= 1;
                }
                if (!swallowing) {
                    to.getOutputStream().write(buffer, 0, n);
                }
            }
        } catch (IOException e) {
            // One side has gone: so does the other.
        } finally {
            close(from);
            close(to);
        }
    }

    byte[] recording() {
        synchronized (recorded) {
            return recorded.toByteArray();
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // It is closed.
        }
    }

    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException e) {
            // It is closed.
        }
        cutAll();
    }
}
