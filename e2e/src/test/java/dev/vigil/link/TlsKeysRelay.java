package dev.vigil.link;

import dev.vigil.protocol.identity.Identity;
import dev.vigil.protocol.identity.Peers;
import dev.vigil.protocol.identity.TestAuthority;
import dev.vigil.protocol.identity.TlsContexts;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/// A relay that holds the TLS keys of both ends, so it sees and forges every ZMTP frame: what the seal alone must
/// hold against.
final class TlsKeysRelay implements AutoCloseable {
    final ByteArrayOutputStream recorded = new ByteArrayOutputStream();
    volatile int target;
    volatile Meddler meddler = (fromCore, frame) -> List.of(frame);
    private final ServerSocket listener = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
    private final SSLContext asCore;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    volatile Supplier<SSLContext> asWorker;

    /// Turns one frame into those that are passed on.
    @FunctionalInterface
    interface Meddler {
        List<byte[]> meddle(boolean fromCore, byte[] frame);
    }

    TlsKeysRelay(TestAuthority authority) throws IOException {
        Identity core = authority.service("core");
        asCore = authority.tls(core, Peers.workers());
        asWorker = () -> {
            throw new IllegalStateException("no worker's key yet");
        };
        Thread.ofVirtual().start(() -> {
            while (!listener.isClosed()) {
                try {
                    Socket worker = listener.accept();
                    Thread.ofVirtual().start(() -> carry(worker));
                } catch (IOException e) {
                    // A closed listener ends the loop.
                }
            }
        });
    }

    String endpoint() {
        return "127.0.0.1:" + listener.getLocalPort();
    }

    private void carry(Socket rawWorker) {
        try {
            var worker = (SSLSocket) asCore.getSocketFactory().createSocket(rawWorker, "worker", 1, true);
            worker.setUseClientMode(false);
            SSLParameters parameters = TlsContexts.parameters();
            parameters.setNeedClientAuth(true);
            worker.setSSLParameters(parameters);
            worker.startHandshake();
            var core = (SSLSocket)
                    asWorker.get().getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), target);
            core.setSSLParameters(TlsContexts.parameters());
            core.startHandshake();
            sockets.add(rawWorker);
            sockets.add(core);
            Thread.ofVirtual().start(() -> pump(worker, core, false));
            Thread.ofVirtual().start(() -> pump(core, worker, true));
        } catch (IOException e) {
            close(rawWorker);
        }
    }

    private void pump(Socket from, Socket to, boolean fromCore) {
        try {
            var in = new DataInputStream(from.getInputStream());
            var out = new DataOutputStream(to.getOutputStream());
            var greeting = new byte[64];
            // JeroMQ greets in steps and waits for the other side in between.
            for (int step : new int[] {10, 1, 53}) {
                in.readFully(greeting, 0, step);
                out.write(greeting, 0, step);
                out.flush();
            }
            out.write(in.readUnsignedByte());
            int length = in.readUnsignedByte();
            out.write(length);
            out.write(in.readNBytes(length));
            out.flush();
            while (true) {
                pass(read(in), fromCore, out);
            }
        } catch (EOFException e) {
            // The connection has ended.
        } catch (IOException e) {
            // One side has gone: so does the other.
        } finally {
            close(from);
            close(to);
        }
    }

    private void pass(byte[] frame, boolean fromCore, DataOutputStream out) throws IOException {
        synchronized (recorded) {
            recorded.writeBytes(frame);
        }
        for (byte[] passed : meddler.meddle(fromCore, frame)) {
            out.write(2);
            out.writeLong(passed.length);
            out.write(passed);
        }
        out.flush();
    }

    private static byte[] read(DataInputStream in) throws IOException {
        int flags = in.readUnsignedByte();
        int length = (flags & 2) != 0 ? (int) in.readLong() : in.readUnsignedByte();
        var frame = new byte[length];
        in.readFully(frame);
        return frame;
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
        sockets.forEach(TlsKeysRelay::close);
    }
}
