package dev.vigil.agent.handler;

import dev.vigil.agent.sandbox.Output;
import dev.vigil.agent.sandbox.SandboxProcess;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// A handler's process, seen as a stream of events: its lines, its end, and what the agent wants of it. One
/// attempt at a time reads them.
final class HandlerProcess {
    private static final System.Logger LOG = System.getLogger(HandlerProcess.class.getName());
    private static final int EVENTS_WAITING = 64;
    /// More log than this in one attempt is an attack or an accident.
    private static final long LOG_BYTES_MAX = 64L << 20;
    private static final int LOG_PIECE = 8 << 10;
    /// Twice what a pipe holds.
    private static final int CATCH_UP_PIECES = 16;
    private static final LogSink NOWHERE = (stream, bytes) -> {};
    private static final int TAIL = 2 << 10;
    private static final int INLINE_MAX = 16 << 10;
    private static final Duration PUMP_PATIENCE = Duration.ofMillis(500);

    private final SandboxProcess sandbox;
    private final Mailbox<Event> events = new Mailbox<>(EVENTS_WAITING);
    private final ConcurrentLinkedQueue<byte[]> unsaid = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean saying = new AtomicBoolean();
    private final AtomicLong logBytes = new AtomicLong();
    private LogSink sink = NOWHERE;
    private byte[] tail = new byte[0];
    private final List<Thread> pumps = new ArrayList<>();
    private List<String> serves = List.of();
    private int served;
    private final long startedAt = System.nanoTime();
    private long idleSince = System.nanoTime();

    /// What can happen while an attempt runs.
    sealed interface Event {
        record Line(HandlerLine line) implements Event {}

        /// The channel ended: nothing more will be said.
        record Silent() implements Event {}

        record Exited(int code) implements Event {}

        /// It wrote too much: a line, or log.
        record Flooded(String code, String what) implements Event {}

        /// Somebody wants it to stop.
        record Cancel(long graceNanos) implements Event {}

        /// The runner is closing.
        record Abandon() implements Event {}
    }

    interface LogSink {
        void accept(RunListener.LogStream stream, byte[] bytes);
    }

    HandlerProcess(SandboxProcess sandbox) {
        this.sandbox = sandbox;
    }

    /// Lets the program start and begins to listen.
    void open() throws IOException {
        sandbox.release();
        Thread.ofVirtual().name("handler-" + sandbox.id()).start(this::readLines);
        pump(sandbox.stdout(), RunListener.LogStream.STDOUT);
        pump(sandbox.stderr(), RunListener.LogStream.STDERR);
        var _ = sandbox.exit().thenAccept(code -> events.force(new Event.Exited(code)));
    }

    private void readLines() {
        var lines = new Lines(sandbox.channel(), HandlerLine.LINE_MAX);
        try {
            byte[] line = lines.next();
            while (line != null && events.put(new Event.Line(HandlerLine.parse(line)))) {
                line = lines.next();
            }
        } catch (Lines.TooLongException e) {
            String what = "a line on the channel is longer than " + HandlerLine.LINE_MAX + " bytes";
            events.force(new Event.Flooded("line_too_long", what));
        } catch (IOException | InterruptedException e) {
            // The agent closed its end; whoever did so knows why.
            LOG.log(System.Logger.Level.TRACE, "event=channel_closed sandbox={0}", sandbox.id());
        }
        events.force(new Event.Silent());
    }

    private void pump(Output output, RunListener.LogStream stream) {
        pumps.add(Thread.ofPlatform().daemon().name("log-" + sandbox.id()).start(() -> {
            try {
                while (output.awaitMore() && taken(output, stream) >= 0) {
                    // It hands on what it took.
                }
            } catch (IOException e) {
                LOG.log(System.Logger.Level.TRACE, "event=log_closed sandbox={0}", sandbox.id());
            }
        }));
    }

    /// Takes a piece of what is there, without waiting. Reading and handing on are one step under the lock, so
    /// nothing is between the two when somebody else looks.
    ///
    /// @return how much; -1 when it was too much in all: then nobody reads on, and the handler blocks on its
    ///     pipe until it is killed
    private synchronized int taken(Output output, RunListener.LogStream stream) throws IOException {
        int there = Math.min(output.available(), LOG_PIECE);
        if (there == 0) {
            return 0; // whoever caught up took it
        }
        byte[] piece = output.readNBytes(there);
        return logged(stream, piece) ? piece.length : -1;
    }

    /// Counts, keeps the tail, and hands on.
    private boolean logged(RunListener.LogStream stream, byte[] bytes) {
        if (logBytes.addAndGet(bytes.length) > LOG_BYTES_MAX) {
            events.force(
                    new Event.Flooded("log_flood", "more than " + (LOG_BYTES_MAX >> 20) + " MiB on stdout and stderr"));
            return false;
        }
        if (stream == RunListener.LogStream.STDERR) {
            byte[] both = Arrays.copyOf(tail, tail.length + bytes.length);
            System.arraycopy(bytes, 0, both, tail.length, bytes.length);
            tail = Arrays.copyOfRange(both, Math.max(0, both.length - TAIL), both.length);
        }
        sink.accept(stream, bytes);
        return true;
    }

    /// The last that it wrote to stderr before its first attempt. Bytes that are no UTF-8 are replaced.
    synchronized String lastWords() {
        return new String(tail, StandardCharsets.UTF_8).strip();
    }

    /// Counts logs anew and sends them there from now on; what was written before is nobody's.
    void hearLogs(LogSink newSink) {
        catchUp();
        synchronized (this) {
            logBytes.set(0);
            tail = new byte[0];
            sink = newSink;
        }
    }

    /// Takes in what it has written by now, without waiting for more.
    void catchUp() {
        try {
            catchUp(sandbox.stdout(), RunListener.LogStream.STDOUT);
            catchUp(sandbox.stderr(), RunListener.LogStream.STDERR);
        } catch (IOException e) {
            LOG.log(System.Logger.Level.TRACE, "event=log_closed sandbox={0}", sandbox.id());
        }
    }

    private void catchUp(Output output, RunListener.LogStream stream) throws IOException {
        int pieces = 0;
        while (pieces < CATCH_UP_PIECES && taken(output, stream) > 0) {
            pieces++;
        }
    }

    /// Takes the sink away: it hears nothing after this.
    synchronized void hearNothing() {
        sink = NOWHERE;
    }

    /// Waits for what happens next.
    ///
    /// @return null when nothing happened in time
    @Nullable Event await(long nanos) throws InterruptedException {
        return events.poll(nanos);
    }

    /// True when nothing happened that nobody has read.
    boolean quiet() {
        return events.isEmpty();
    }

    void force(Event event) {
        events.force(event);
    }

    /// Writes a line to the channel, after those said before. A long one is written by a thread of its own: a
    /// handler that does not read must not hold up the clock of its attempt.
    void say(byte[] line) {
        unsaid.add(line);
        if (saying.compareAndSet(false, true)) {
            if (line.length <= INLINE_MAX) {
                sayAll();
            } else {
                Thread.ofVirtual().start(this::sayAll);
            }
        }
    }

    private void sayAll() {
        do {
            for (byte[] line = unsaid.poll(); line != null; line = unsaid.poll()) {
                write(line);
            }
            saying.set(false);
        } while (!unsaid.isEmpty() && saying.compareAndSet(false, true));
    }

    private void write(byte[] line) {
        try {
            var bytes = ByteBuffer.wrap(line);
            while (bytes.hasRemaining()) {
                sandbox.channel().write(bytes);
            }
        } catch (IOException e) {
            LOG.log(System.Logger.Level.TRACE, "event=channel_not_written sandbox={0}", sandbox.id());
        }
    }

    /// Writes a line to stdin and ends it.
    void feed(byte[] line) {
        // A thread that may wait: a pipe holds 64 KiB, and the handler need not read it.
        Thread.ofPlatform().daemon().name("stdin-" + sandbox.id()).start(() -> {
            try (var stdin = sandbox.stdin()) {
                stdin.write(line);
            } catch (IOException e) {
                LOG.log(System.Logger.Level.TRACE, "event=stdin_not_read sandbox={0}", sandbox.id());
            }
        });
    }

    void endStdin() throws IOException {
        sandbox.stdin().close();
    }

    SandboxProcess sandbox() {
        return sandbox;
    }

    /// The names that its hello listed.
    List<String> serves() {
        return serves;
    }

    void greeted(List<String> names) {
        serves = names;
    }

    /// Counts an attempt that it answered in good order.
    int answered() {
        idleSince = System.nanoTime();
        return ++served;
    }

    long idleNanos() {
        return System.nanoTime() - idleSince;
    }

    long ageNanos() {
        return System.nanoTime() - startedAt;
    }

    /// Kills it and waits until nothing is left of it and its last words are read.
    boolean kill() {
        events.close();
        boolean gone = sandbox.kill();
        try {
            for (Thread pump : pumps) {
                pump.join(PUMP_PATIENCE);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        sandbox.close();
        return gone;
    }
}
