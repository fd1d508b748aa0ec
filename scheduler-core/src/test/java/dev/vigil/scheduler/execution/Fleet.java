package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.AttemptEnd.Outcome;
import dev.vigil.scheduler.execution.LinkEvents.Ownership;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Workers for tests: they take dispatches of any number of cores, run them by a function, report until they are
/// settled, and remember every run. One thread plays all of them and the links of all cores.
final class Fleet implements AutoCloseable {
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("fleet").daemon(true).factory());
    private final List<Core> cores = new CopyOnWriteArrayList<>();
    private final Map<UUID, Worker> workers = new ConcurrentHashMap<>();
    private final List<Run> runs = new CopyOnWriteArrayList<>();
    private volatile Function<Dispatch, Reply> behaviour = dispatch -> Reply.succeed();
    private volatile Consumer<Dispatch> end = dispatch -> {};

    private final Future<?> heartbeats = thread.scheduleAtFixedRate(this::heartbeat, 200, 200, TimeUnit.MILLISECONDS);

    /// A run that began on a worker.
    record Run(Dispatch dispatch, WorkerBoot worker, Instant at) {}

    /// What a handler does.
    ///
    /// @param delay how long it runs; null: until it is told to stop
    /// @param code  null when it succeeds
    record Reply(
            @Nullable Duration delay,
            Outcome outcome,
            @Nullable String code,
            boolean retryable) {
        static Reply succeed() {
            return after(Duration.ZERO);
        }

        static Reply after(Duration delay) {
            return new Reply(delay, Outcome.SUCCEEDED, null, false);
        }

        static Reply fail(boolean retryable) {
            return new Reply(Duration.ZERO, Outcome.FAILED, "broken", retryable);
        }

        static Reply failWith(String code) {
            return new Reply(Duration.ZERO, Outcome.FAILED, code, false);
        }

        static Reply failAfter(Duration delay) {
            return new Reply(delay, Outcome.FAILED, "broken", true);
        }

        static Reply forever() {
            return new Reply(null, Outcome.SUCCEEDED, null, false);
        }
    }

    void behave(Function<Dispatch, Reply> function) {
        behaviour = function;
    }

    /// Told of each run that ends, before its core is.
    void onEnd(Consumer<Dispatch> consumer) {
        end = consumer;
    }

    List<Run> runs() {
        return List.copyOf(runs);
    }

    List<Run> runsOf(UUID execution) {
        return runs.stream()
                .filter(run -> run.dispatch.execution().equals(execution))
                .toList();
    }

    /// A core's link to all workers.
    Link connect(LinkEvents events) {
        var core = new Core(events);
        cores.add(core);
        thread.execute(() -> workers.values().forEach(worker -> events.joined(worker.boot, worker.held())));
        return core;
    }

    void disconnect(LinkEvents events) {
        cores.removeIf(core -> core.events.equals(events));
    }

    WorkerBoot join(int slots) {
        return join(UUID.randomUUID(), slots);
    }

    /// A worker starts, or starts again with a new boot.
    WorkerBoot join(UUID id, int slots) {
        var worker = new Worker(new WorkerBoot(id, UUID.randomUUID()), slots);
        workers.put(id, worker);
        thread.execute(() -> cores.forEach(core -> core.events.joined(worker.boot, List.of())));
        thread.execute(() -> cores.forEach(core -> core.events.capacityChanged()));
        return worker.boot;
    }

    /// A worker's process is killed.
    void kill(WorkerBoot boot) {
        workers.computeIfPresent(boot.worker(), (id, worker) -> worker.boot.equals(boot) ? null : worker);
    }

    /// The cores notice that nothing was heard of it for so long.
    void noticeSilence(WorkerBoot boot, Duration since) {
        thread.execute(() -> cores.forEach(core -> core.events.silent(boot, since)));
    }

    void sayGoodbye(WorkerBoot boot) {
        thread.execute(() -> {
            workers.remove(boot.worker());
            cores.forEach(core -> core.events.goodbye(boot));
        });
    }

    /// All that runs succeeds now.
    void finishAll() {
        thread.execute(() -> workers.values().forEach(Worker::finishAll));
    }

    /// Returns once all that was asked of it before is done, and its cores were told.
    void awaitDone() throws InterruptedException, ExecutionException {
        thread.submit(() -> {}).get();
    }

    private void heartbeat() {
        for (Worker worker : workers.values()) {
            for (Core core : cores) {
                Ownership answer = core.events.ownership(worker.boot, worker.held());
                answer.stale().forEach(running -> worker.drop(running.execution()));
            }
            worker.reportAgain();
        }
    }

    @Override
    public void close() {
        heartbeats.cancel(false);
        thread.shutdownNow();
    }

    private final class Core implements Link {
        final LinkEvents events;

        Core(LinkEvents events) {
            this.events = events;
        }

        @Override
        public Optional<Credits> take(int namespace, String handler, int atMost) {
            for (Worker worker : workers.values()) {
                int granted = worker.take(atMost);
                if (granted > 0) {
                    return Optional.of(new Credits(worker.boot, granted));
                }
            }
            return Optional.empty();
        }

        @Override
        public Lack lack(int namespace, String handler) {
            return workers.isEmpty() ? Lack.NO_WORKER : Lack.NO_CREDIT;
        }

        @Override
        public void giveBack(Credits credits) {
            with(credits.worker()).ifPresent(worker -> worker.free.addAndGet(credits.count()));
        }

        @Override
        public void send(WorkerBoot boot, List<Dispatch> dispatches) {
            thread.execute(() -> {
                if (!events.mayAct()) {
                    with(boot).ifPresent(worker -> worker.free.addAndGet(dispatches.size()));
                    events.undelivered(boot, dispatches);
                    return;
                }
                with(boot).ifPresent(worker -> dispatches.forEach(dispatch -> worker.run(dispatch, this)));
            });
        }

        @Override
        public void cancel(WorkerBoot boot, List<Running> executions) {
            thread.execute(() -> with(boot).ifPresent(worker -> executions.forEach(one -> worker.stop(one, this))));
        }

        @Override
        public void settle(WorkerBoot boot, List<Settled> results) {
            thread.execute(() -> with(boot).ifPresent(worker -> {
                results.forEach(result -> worker.drop(result.execution()));
                cores.forEach(core -> core.events.capacityChanged());
            }));
        }

        private Optional<Worker> with(WorkerBoot boot) {
            return Optional.ofNullable(workers.get(boot.worker())).filter(worker -> worker.boot.equals(boot));
        }
    }

    /// What a worker holds.
    private static final class Holding {
        final Dispatch dispatch;

        @Nullable AttemptEnd end;

        @Nullable Future<?> ending;

        boolean reported;

        Holding(Dispatch dispatch) {
            this.dispatch = dispatch;
        }
    }

    private final class Worker {
        final WorkerBoot boot;
        final AtomicInteger free;
        private final Map<UUID, Holding> holdings = new ConcurrentHashMap<>();

        Worker(WorkerBoot boot, int slots) {
            this.boot = boot;
            this.free = new AtomicInteger(slots);
        }

        int take(int atMost) {
            int before = free.getAndUpdate(left -> left - Math.min(left, atMost));
            return Math.min(before, atMost);
        }

        List<Link.Running> held() {
            return holdings.values().stream()
                    .map(holding -> new Link.Running(holding.dispatch.execution(), holding.dispatch.fence()))
                    .toList();
        }

        void run(Dispatch dispatch, Core core) {
            runs.add(new Run(dispatch, boot, Instant.now()));
            var holding = new Holding(dispatch);
            holdings.put(dispatch.execution(), holding);
            core.events.started(boot, List.of(new Link.Running(dispatch.execution(), dispatch.fence())));
            Reply reply = behaviour.apply(dispatch);
            Duration delay = reply.delay;
            if (delay == null) {
                return;
            }
            if (delay.isZero()) {
                finish(dispatch, reply, core);
            } else {
                holding.ending =
                        thread.schedule(() -> finish(dispatch, reply, core), delay.toMillis(), TimeUnit.MILLISECONDS);
            }
        }

        void stop(Link.Running running, Core core) {
            Holding holding = holdings.get(running.execution());
            if (holding != null && holding.end == null) {
                finish(holding.dispatch, new Reply(Duration.ZERO, Outcome.CANCELLED, null, false), core);
            }
        }

        private void finish(Dispatch dispatch, Reply reply, Core core) {
            Holding holding = holdings.get(dispatch.execution());
            if (holding == null || holding.end != null || holding.dispatch.fence() != dispatch.fence()) {
                return;
            }
            end.accept(dispatch);
            holding.end = new AttemptEnd(
                    new Link.Running(dispatch.execution(), dispatch.fence()),
                    reply.outcome,
                    Duration.ofMillis(1),
                    reply.code,
                    reply.retryable,
                    null,
                    new byte[] {1},
                    false);
            if (workers.get(boot.worker()) == this) {
                core.events.ended(boot, List.of(holding.end));
            }
        }

        void finishAll() {
            holdings.values()
                    .forEach(holding -> cores.forEach(core -> finish(holding.dispatch, Reply.succeed(), core)));
        }

        /// A result that nobody settled is told to everybody.
        void reportAgain() {
            Collection<AttemptEnd> ends = new ArrayList<>();
            holdings.values().forEach(holding -> {
                if (holding.end != null && holding.reported) {
                    ends.add(holding.end);
                }
                holding.reported = holding.end != null;
            });
            if (!ends.isEmpty()) {
                cores.forEach(core -> core.events.ended(boot, List.copyOf(ends)));
            }
        }

        void drop(UUID execution) {
            Holding dropped = holdings.remove(execution);
            if (dropped != null) {
                free.incrementAndGet();
                if (dropped.ending != null) {
                    dropped.ending.cancel(false);
                }
            }
        }
    }
}
