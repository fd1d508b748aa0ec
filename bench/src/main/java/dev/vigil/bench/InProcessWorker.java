package dev.vigil.bench;

import dev.vigil.scheduler.execution.AttemptEnd;
import dev.vigil.scheduler.execution.AttemptEnd.Outcome;
import dev.vigil.scheduler.execution.Dispatch;
import dev.vigil.scheduler.execution.Link;
import dev.vigil.scheduler.execution.LinkEvents;
import dev.vigil.scheduler.execution.WorkerBoot;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/// The worker's end of the engine without a network between: threads that open each payload, run a handler that only
/// tells when it started, and report start and end.
final class InProcessWorker implements Link {
    private static final int THREADS = 2;
    private static final Duration STOP_WITHIN = Duration.ofSeconds(20);
    private static final long POLL_NANOS = Duration.ofMillis(1).toNanos();

    /// Most tasks that wait for a thread: enough to keep the threads busy, and few enough that a shard can
    /// go to another core while its tasks run.
    private static final int ROOM = 4_000;

    private final WorkerBoot worker = new WorkerBoot(UUID.randomUUID(), UUID.randomUUID());
    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    private final AtomicLong unsettled = new AtomicLong();
    private final AtomicInteger taken = new AtomicInteger();
    private final AtomicBoolean refused = new AtomicBoolean();
    private final LinkEvents events;
    private final Contestant.StartListener listener;
    private final BenchTasks tasks;
    private final InstantSource clock;
    private volatile boolean draining;

    /// @param events   of the engine that it works for
    /// @param listener hears of each task that starts
    /// @param tasks    by which payloads are opened
    InProcessWorker(LinkEvents events, Contestant.StartListener listener, BenchTasks tasks, InstantSource clock) {
        this.events = events;
        this.listener = listener;
        this.tasks = tasks;
        this.clock = clock;
    }

    @Override
    public Optional<Credits> take(int namespace, String handler, int atMost) {
        refused.set(true);
        int before = taken.getAndUpdate(count -> Math.max(count, Math.min(ROOM, count + atMost)));
        int granted = Math.min(ROOM - before, atMost);
        if (draining || granted <= 0) {
            taken.addAndGet(-Math.max(0, granted));
            return Optional.empty();
        }
        refused.set(granted < atMost);
        return Optional.of(new Credits(worker, granted));
    }

    @Override
    public Lack lack(int namespace, String handler) {
        return Lack.NO_CREDIT;
    }

    @Override
    public void giveBack(Credits credits) {
        free(credits.count());
    }

    @Override
    public void send(WorkerBoot to, List<Dispatch> dispatches) {
        unsettled.addAndGet(dispatches.size());
        threads.execute(() -> run(dispatches));
    }

    private void run(List<Dispatch> dispatches) {
        var running = new ArrayList<Running>(dispatches.size());
        var ends = new ArrayList<AttemptEnd>(dispatches.size());
        for (Dispatch dispatch : dispatches) {
            listener.started(tasks.open(dispatch), Starts.micros(clock.instant()));
            var one = new Running(dispatch.execution(), dispatch.fence());
            running.add(one);
            ends.add(new AttemptEnd(one, Outcome.SUCCEEDED, Duration.ZERO, null, false, null, null, false));
        }
        events.started(worker, running);
        events.ended(worker, ends);
        free(dispatches.size());
    }

    private void free(int count) {
        taken.addAndGet(-count);
        if (refused.compareAndSet(true, false)) {
            events.capacityChanged();
        }
    }

    @Override
    public void cancel(WorkerBoot at, List<Running> executions) {
        // What it runs is over before anybody can ask.
    }

    @Override
    public void settle(WorkerBoot with, List<Settled> results) {
        unsettled.addAndGet(-results.size());
    }

    /// Takes nothing more and waits until the engine has stored the end of all that was taken.
    void drain() {
        draining = true;
        long until = System.nanoTime() + STOP_WITHIN.toNanos();
        while (unsettled.get() > 0) {
            if (System.nanoTime() > until) {
                throw new IllegalStateException(unsettled.get() + " results are not stored after " + STOP_WITHIN);
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    void close() {
        threads.shutdownNow();
    }
}
