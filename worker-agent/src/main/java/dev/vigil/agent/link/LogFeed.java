package dev.vigil.agent.link;

import dev.vigil.protocol.link.LogRecord;
import dev.vigil.protocol.link.ProgressRecord;
import dev.vigil.protocol.payload.LogChunk;
import dev.vigil.protocol.payload.LogLine;
import dev.vigil.protocol.payload.Purpose;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// What one attempt says, from its lines to sealed records. Threads of the attempt add, the link's thread takes.
/// Lines wait a moment for company; the newest progress replaces the one before it. What finds no room is counted:
/// its line numbers stay unused, so the gap is seen by whoever reads the log, and the last line says how many they
/// were.
///
/// Safe for use by several threads.
final class LogFeed {
    /// Bytes that all feeds of a worker may hold.
    static final long WAITING_MAX = 8 << 20;

    private static final int CHUNK_BYTES = 16 << 10;
    private static final long LINGER_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
    private static final long PROGRESS_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Prepared run;
    private final AtomicLong waiting;
    private final Runnable wake;
    private final Deque<Chunk> chunks = new ArrayDeque<>();
    private int nextLine = 1;
    private int lost;
    private boolean ended;
    private @Nullable Progress progress;
    private long progressSentAt = System.nanoTime() - PROGRESS_NANOS;

    private static final class Chunk {
        private final int first;
        private final long since = System.nanoTime();
        private final List<LogLine> lines = new ArrayList<>();
        private int bytes;

        Chunk(int first) {
            this.first = first;
        }

        boolean isFull() {
            return bytes >= CHUNK_BYTES || lines.size() == LogChunk.LINES_MAX;
        }
    }

    private record Progress(int millionths, String message) {}

    /// @param waiting bytes that wait in all feeds
    /// @param wake    called when there is something again, after there was nothing
    LogFeed(Prepared run, AtomicLong waiting, Runnable wake) {
        this.run = run;
        this.waiting = waiting;
        this.wake = wake;
    }

    /// A line of the attempt.
    void log(LogLine line) {
        boolean first;
        synchronized (this) {
            int bytes = LogChunk.bytesOf(line);
            if (ended) {
                return;
            }
            if (waiting.get() + bytes > WAITING_MAX) {
                lost++;
                nextLine++;
                return;
            }
            first = isEmpty();
            add(line, bytes);
        }
        if (first) {
            wake.run();
        }
    }

    private void add(LogLine line, int bytes) {
        Chunk last = chunks.peekLast();
        if (last == null || last.isFull() || last.first + last.lines.size() != nextLine) {
            last = new Chunk(nextLine);
            chunks.addLast(last);
        }
        last.lines.add(line);
        last.bytes += bytes;
        nextLine++;
        waiting.addAndGet(bytes);
    }

    /// How far the attempt is.
    void progress(double fraction, String message) {
        boolean first;
        synchronized (this) {
            if (ended) {
                return;
            }
            first = isEmpty();
            progress = new Progress((int) Math.round(fraction * ProgressRecord.WHOLE), message);
        }
        if (first) {
            wake.run();
        }
    }

    /// The attempt is over; what is left goes out at once.
    ///
    /// @param atMillis for the line that says what was lost
    void end(long atMillis) {
        boolean first;
        synchronized (this) {
            first = isEmpty();
            if (!ended && lost > 0) {
                byte[] words = (lost + " lines were lost: the link to the core was slower than this worker")
                        .getBytes(StandardCharsets.UTF_8);
                var line = new LogLine(LogLine.Source.AGENT, atMillis, words);
                add(line, LogChunk.bytesOf(line));
            }
            ended = true;
            first &= !isEmpty();
        }
        if (first) {
            wake.run();
        }
    }

    synchronized boolean isEmpty() {
        return chunks.isEmpty() && progress == null;
    }

    /// The next lines that are due, sealed.
    Optional<LogRecord> takeLog() {
        Chunk chunk;
        synchronized (this) {
            chunk = chunks.peekFirst();
            boolean due = chunk != null
                    && (ended || chunk.isFull() || chunks.size() > 1 || System.nanoTime() - chunk.since > LINGER_NANOS);
            if (!due) {
                return Optional.empty();
            }
            chunks.removeFirst();
        }
        waiting.addAndGet(-chunk.bytes);
        long fence = run.request().fence();
        byte[] plain = new LogChunk(fence, chunk.first, chunk.lines).toBytes();
        byte[] sealed = run.key().seal(run.place().withPurpose(Purpose.LOG), plain);
        return Optional.of(new LogRecord(run.request().execution(), fence, chunk.first, chunk.lines.size(), sealed));
    }

    /// The newest progress, when it is due.
    Optional<ProgressRecord> takeProgress() {
        Progress newest;
        synchronized (this) {
            newest = progress;
            if (newest == null || (!ended && System.nanoTime() - progressSentAt < PROGRESS_NANOS)) {
                return Optional.empty();
            }
            progress = null;
            progressSentAt = System.nanoTime();
        }
        byte[] sealed = newest.message().isEmpty()
                ? null
                : run.key()
                        .seal(
                                run.place().withPurpose(Purpose.PROGRESS),
                                newest.message().getBytes(StandardCharsets.UTF_8));
        return Optional.of(
                new ProgressRecord(run.request().execution(), run.request().fence(), newest.millionths(), sealed));
    }

    /// Nobody wants the rest.
    synchronized void drop() {
        ended = true;
        chunks.forEach(chunk -> waiting.addAndGet(-chunk.bytes));
        chunks.clear();
        progress = null;
    }
}
