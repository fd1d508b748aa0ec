package dev.vigil.protocol.link;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.nio.channels.SelectableChannel;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/// Work for the one thread that owns a ZeroMQ socket: a queue, and a pipe that wakes the thread when it waits on its
/// sockets. A thread that is awake costs its callers no system call. Nothing ever interrupts that thread: interrupts
/// corrupt JeroMQ's signalling.
///
/// Anybody may [#add]; the rest belongs to the owner.
public final class Inbox implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Inbox.class.getName());

    private final Queue<Runnable> work = new ConcurrentLinkedQueue<>();
    private final Pipe wake;
    private volatile boolean parked;

    public Inbox() throws IOException {
        wake = Pipe.open();
        wake.source().configureBlocking(false);
        wake.sink().configureBlocking(false);
    }

    /// Runs this on the owner's thread, soon.
    public void add(Runnable task) {
        work.add(task);
        if (parked) {
            parked = false;
            try {
                wake.sink().write(ByteBuffer.allocate(1));
            } catch (IOException e) {
                LOG.log(System.Logger.Level.DEBUG, "the owner of this inbox has gone", e);
            }
        }
    }

    /// What the owner's poller waits on beside its sockets.
    public SelectableChannel channel() {
        return wake.source();
    }

    /// Runs what waits, up to a limit. A task that fails is logged and does not end the thread that carries
    /// everything.
    ///
    /// @return whether there was anything
    public boolean drain(int atMost) {
        for (int i = 0; i < atMost; i++) {
            Runnable task = work.poll();
            if (task == null) {
                return i > 0;
            }
            run(task);
        }
        return true;
    }

    /// Runs one task; if it fails, logs that and goes on.
    public static void run(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.ERROR, "event=link_task_failed", e);
        }
    }

    /// Waits, unless there is work already.
    ///
    /// @param wait polls the owner's sockets and [#channel()]
    public void park(Runnable wait) {
        parked = true;
        if (work.isEmpty()) {
            wait.run();
        }
        parked = false;
        try {
            wake.source().read(ByteBuffer.allocate(64));
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "this inbox is closed", e);
        }
    }

    @Override
    public void close() throws IOException {
        wake.sink().close();
        wake.source().close();
    }
}
