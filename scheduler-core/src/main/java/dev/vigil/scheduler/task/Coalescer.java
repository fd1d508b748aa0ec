package dev.vigil.scheduler.task;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Joins callers that wait at the same time into one batch, which one of them runs for all. A lone caller runs
/// its own item at once, on its own thread; nobody waits for a timer.
///
/// When a batch fails by its content it is run again in halves, so a poisoned item fails alone.
///
/// @param <T> what a caller brings
/// @param <R> what it takes home
final class Coalescer<T, R> {
    /// Most items of a batch.
    static final int BATCH_MAX = 500;

    /// Batches that run at once: while one waits for its commit, the next is already under way.
    private static final int RUNNERS = 2;

    private final Function<List<T>, List<R>> run;
    private final Semaphore runners = new Semaphore(RUNNERS);
    private final ConcurrentLinkedQueue<Waiting<T, R>> queue = new ConcurrentLinkedQueue<>();

    /// @param run answers a batch item by item, all or nothing; it may be asked again with a part of a batch that
    /// failed
    Coalescer(Function<List<T>, List<R>> run) {
        this.run = run;
    }

    /// Runs items, alone or with their neighbours, and returns their own answers or throws the failure of one of
    /// them; the others are done all the same.
    List<R> submit(List<T> items) {
        List<Waiting<T, R>> own =
                items.stream().map(item -> new Waiting<T, R>(item)).toList();
        queue.addAll(own);
        own.forEach(this::await);
        return own.stream().map(Waiting::result).toList();
    }

    private void await(Waiting<T, R> own) {
        boolean interrupted = false;
        while (!own.done) {
            if (runners.tryAcquire()) {
                try {
                    answer(nextBatch());
                } finally {
                    runners.release();
                    wakeNext();
                }
            } else {
                LockSupport.park(this);
                // The item may be in a batch already, so the answer is awaited all the same.
                interrupted |= Thread.interrupted();
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private List<Waiting<T, R>> nextBatch() {
        var batch = new ArrayList<Waiting<T, R>>();
        while (batch.size() < BATCH_MAX) {
            Waiting<T, R> next = queue.poll();
            if (next == null) {
                break;
            }
            batch.add(next);
        }
        return batch;
    }

    /// Somebody must run what came while this batch ran: the one who waits longest.
    private void wakeNext() {
        Waiting<T, R> next = queue.peek();
        if (next != null) {
            LockSupport.unpark(next.thread);
        }
    }

    private void answer(List<Waiting<T, R>> batch) {
        if (batch.isEmpty()) {
            return;
        }
        try {
            List<R> results =
                    run.apply(batch.stream().map(waiting -> waiting.item).toList());
            for (int i = 0; i < batch.size(); i++) {
                batch.get(i).set(results.get(i), null);
            }
            wake(batch);
        } catch (RuntimeException failure) {
            if (batch.size() == 1 || !Poison.isPossible(failure)) {
                batch.forEach(waiting -> waiting.set(null, failure));
                wake(batch);
            } else {
                answer(batch.subList(0, batch.size() / 2));
                answer(batch.subList(batch.size() / 2, batch.size()));
            }
        } catch (Error failure) {
            batch.forEach(waiting -> waiting.set(null, failure));
            wake(batch);
            throw failure;
        }
    }

    /// Each caller once: he may have brought all of the batch, or be the one who runs it.
    private static <T, R> void wake(List<Waiting<T, R>> batch) {
        Thread woken = Thread.currentThread();
        for (Waiting<T, R> waiting : batch) {
            if (!waiting.thread.equals(woken)) {
                woken = waiting.thread;
                LockSupport.unpark(woken);
            }
        }
    }

    private static final class Waiting<T, R> {
        final T item;
        final Thread thread = Thread.currentThread();
        private @Nullable R result;
        private @Nullable Throwable failure;
        volatile boolean done;

        Waiting(T item) {
            this.item = item;
        }

        void set(@Nullable R result, @Nullable Throwable failure) {
            this.result = result;
            this.failure = failure;
            done = true;
        }

        R result() {
            if (failure instanceof Error error) {
                throw error;
            }
            if (failure instanceof RuntimeException refused) {
                throw refused;
            }
            if (result == null) {
                throw new IllegalStateException("a batch ended without an answer for one of its items");
            }
            return result;
        }
    }
}
