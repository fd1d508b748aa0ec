package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.LogRows.Chunk;
import dev.vigil.scheduler.execution.LogRows.Mark;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.NestedExceptionUtils;

/// Stores what executions say: a thread and a connection of its own, so that no flood of words delays a dispatch.
/// What finds no room, or comes when the database cannot be written, is lost and counted; the gap in the numbers of
/// the lines tells whoever reads the log.
///
/// Told by the link's thread, which never waits here.
final class Journal implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Journal.class);
    /// Sealed bytes that wait.
    static final int WAITING_BYTES_MAX = 16 << 20;
    /// What one attempt may leave, by what came over the link: a worker that keeps the rules stays below.
    static final int ATTEMPT_BYTES_MAX = 1 << 20;

    static final int ATTEMPT_LINES_MAX = 20_000;
    private static final int ATTEMPTS_KNOWN = 20_000;
    private static final int BATCH = 256;
    private static final int BATCH_BYTES = 2 << 20;
    private static final Duration BREATH = Duration.ofMillis(25);
    private static final Duration END_PATIENCE = Duration.ofSeconds(1);
    private static final Duration WARNING = Duration.ofHours(1);

    private final LoopState.Core core;
    private final CoreConnection connection;
    private final Thread thread;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    // All guarded by the lock.
    private final Deque<Chunk> chunks = new ArrayDeque<>();
    private final Map<UUID, Mark> marks = new LinkedHashMap<>();
    private final Map<UUID, CompletableFuture<Boolean>> ends = new HashMap<>();
    private final Map<UUID, Integer> pending = new HashMap<>();
    private final SequencedMap<UUID, Account> accounts = new LinkedHashMap<>(64, 0.75f, true);
    private int waitingBytes;
    private long lost;
    private boolean stopping;

    private long warnedAt = System.nanoTime();

    /// What one attempt has said so far.
    private static final class Account {
        private long fence = -1;
        private int nextLine;
        private int lines;
        private int bytes;
    }

    private record Batch(List<Chunk> chunks, List<Mark> marks) {
        boolean isEmpty() {
            return chunks.isEmpty() && marks.isEmpty();
        }
    }

    Journal(LoopState.Core core, CoreConnection connection) {
        this.core = core;
        this.connection = connection;
        this.thread = Thread.ofPlatform().name("vigil-journal").daemon(true).unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    /// An execution that is open here says something, under a fence that is current.
    void add(Open open, Saying saying) {
        lock.lock();
        try {
            int shard = open.due.shard();
            int namespace = open.due.task().namespace();
            switch (saying) {
                case Saying.Progress progress -> {
                    if (marks.put(open.id(), new Mark(shard, namespace, progress)) == null) {
                        pending.merge(open.id(), 1, Integer::sum);
                    }
                }
                case Saying.Lines lines -> {
                    if (!admits(open.id(), lines)) {
                        lost += lines.lines();
                        return;
                    }
                    chunks.add(new Chunk(shard, namespace, open.attempt, lines));
                    waitingBytes += lines.sealed().length;
                    pending.merge(open.id(), 1, Integer::sum);
                }
            }
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    /// Within the limits, and not said before.
    private boolean admits(UUID execution, Saying.Lines lines) {
        Account account = accounts.computeIfAbsent(execution, id -> new Account());
        if (accounts.size() > ATTEMPTS_KNOWN) {
            accounts.pollFirstEntry();
        }
        long fence = lines.running().fence();
        if (fence > account.fence) {
            account.fence = fence;
            account.nextLine = 1;
            account.lines = 0;
            account.bytes = 0;
        }
        int length = lines.sealed().length;
        boolean admitted = fence == account.fence
                && lines.line() >= account.nextLine
                && account.lines + lines.lines() <= ATTEMPT_LINES_MAX
                && account.bytes + length <= ATTEMPT_BYTES_MAX
                && waitingBytes + length <= WAITING_BYTES_MAX;
        if (admitted) {
            account.nextLine = lines.line() + lines.lines();
            account.lines += lines.lines();
            account.bytes += length;
        }
        return admitted;
    }

    /// For an attempt that has ended.
    ///
    /// @return empty when all that it said is stored; else completes when it is, or could not be, or took too long
    Optional<CompletableFuture<Boolean>> unstored(UUID execution) {
        lock.lock();
        try {
            accounts.remove(execution);
            if (!pending.containsKey(execution)) {
                return Optional.empty();
            }
            changed.signal();
            return Optional.of(ends.computeIfAbsent(
                    execution,
                    id -> new CompletableFuture<Boolean>()
                            .completeOnTimeout(false, END_PATIENCE.toMillis(), TimeUnit.MILLISECONDS)));
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        try {
            Batch batch = next();
            while (batch != null) {
                store(batch);
                batch = next();
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } finally {
            connection.close();
        }
    }

    /// Waits for something to store.
    ///
    /// @return null when there is nothing more and the journal is closing
    private @Nullable Batch next() throws InterruptedException {
        lock.lock();
        try {
            while (chunks.isEmpty() && marks.isEmpty() && !stopping) {
                if (!changed.await(1, TimeUnit.MINUTES)) {
                    return new Batch(List.of(), List.of());
                }
            }
            // While nobody waits for it, a moment's more company makes one commit of many.
            long left = BREATH.toNanos();
            while (ends.isEmpty() && !stopping && left > 0) {
                left = changed.awaitNanos(left);
            }
            Batch batch = take();
            return batch.isEmpty() && stopping ? null : batch;
        } finally {
            lock.unlock();
        }
    }

    private Batch take() {
        var taken = new ArrayList<Chunk>();
        var fences = new HashMap<UUID, Long>();
        int bytes = 0;
        while (!chunks.isEmpty() && taken.size() < BATCH && bytes < BATCH_BYTES) {
            Chunk chunk = chunks.getFirst();
            long fence = chunk.lines().running().fence();
            Long other = fences.putIfAbsent(chunk.execution(), fence);
            if (other != null && other != fence) {
                break; // A statement numbers the lines of one fence only.
            }
            chunks.removeFirst();
            taken.add(chunk);
            bytes += chunk.lines().sealed().length;
        }
        waitingBytes -= bytes;
        var batch = new Batch(taken, List.copyOf(marks.values()));
        marks.clear();
        return batch;
    }

    private void store(Batch batch) {
        try {
            warn();
            int stored = 0;
            if (!batch.chunks().isEmpty()) {
                stored = LogRows.append(connection.db(), core.incarnation(), batch.chunks());
            }
            if (!batch.marks().isEmpty()) {
                LogRows.mark(connection.db(), core.incarnation(), batch.marks());
            }
            stored(batch, batch.chunks().size() - stored);
        } catch (RuntimeException failure) {
            LOG.warn(
                    "event=logs_lost chunks={} reason={}",
                    batch.chunks().size(),
                    NestedExceptionUtils.getMostSpecificCause(failure).toString());
            connection.close();
            stored(batch, batch.chunks().size());
        }
    }

    private void warn() {
        if (lost > 0 && System.nanoTime() - warnedAt > WARNING.toNanos()) {
            warnedAt = System.nanoTime();
            LOG.warn("event=log_lines_over_limit lines={}", lost);
        }
    }

    private void stored(Batch batch, int refused) {
        if (refused > 0) {
            LOG.debug("event=log_chunks_refused chunks={}", refused);
        }
        var done = new ArrayList<CompletableFuture<Boolean>>();
        lock.lock();
        try {
            batch.chunks().forEach(chunk -> settle(chunk.execution(), done));
            batch.marks().forEach(mark -> settle(mark.execution(), done));
        } finally {
            lock.unlock();
        }
        done.forEach(end -> end.complete(true));
    }

    private void settle(UUID execution, List<CompletableFuture<Boolean>> done) {
        if (pending.merge(execution, -1, Integer::sum) <= 0) {
            pending.remove(execution);
            CompletableFuture<Boolean> end = ends.remove(execution);
            if (end != null) {
                done.add(end);
            }
        }
    }

    /// Stores what waits, then ends.
    @Override
    public void close() {
        lock.lock();
        try {
            stopping = true;
            changed.signal();
        } finally {
            lock.unlock();
        }
        try {
            if (!thread.join(Duration.ofSeconds(5))) {
                LOG.warn("event=journal_still_writing");
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
