package dev.vigil.platform;

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;

/// Tells another process of this machine when tasks start, in order and without holding up a task.
final class StartReports implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(StartReports.class.getName());

    private record Start(long t0Micros, long atMicros) {}

    private final Socket socket;
    private final LinkedBlockingQueue<Start> waiting = new LinkedBlockingQueue<>();
    private final AtomicLong told = new AtomicLong();

    /// @param port of the other process on the loopback interface
    StartReports(int port) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        Thread.ofPlatform().daemon().name("bench-starts").start(this::write);
    }

    /// A task has started.
    void started(long t0Micros, long atMicros) {
        told.incrementAndGet();
        waiting.add(new Start(t0Micros, atMicros));
    }

    /// How many starts there were.
    long told() {
        return told.get();
    }

    private void write() {
        try (var out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()))) {
            var starts = new ArrayList<Start>();
            while (true) {
                starts.add(waiting.take());
                waiting.drainTo(starts);
                for (Start start : starts) {
                    out.writeLong(start.t0Micros);
                    out.writeLong(start.atMicros);
                }
                out.flush();
                starts.clear();
            }
        } catch (IOException gone) {
            LOG.log(System.Logger.Level.WARNING, "event=starts_unheard", gone);
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
