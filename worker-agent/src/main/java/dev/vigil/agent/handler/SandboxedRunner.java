package dev.vigil.agent.handler;

import dev.vigil.agent.handler.Outcome.Reason;
import dev.vigil.agent.sandbox.Sandbox;
import dev.vigil.agent.sandbox.SandboxOrder;
import dev.vigil.agent.sandbox.SandboxReport;
import dev.vigil.agent.sandbox.Sandboxes;
import dev.vigil.agent.sandbox.Watchdog;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// The runner of a real worker: handlers from folders and built in, pools per program and namespace, one virtual
/// thread per attempt.
final class SandboxedRunner implements Runner {
    private static final System.Logger LOG = System.getLogger(SandboxedRunner.class.getName());
    private static final int SWEEP_SECONDS = 30;
    private static final long CLOSE_SECONDS = 10;
    /// The namespace `default`: its pools are started before the first execution asks.
    private static final int USUAL_NAMESPACE = 1;

    private final RunnerSettings settings;
    private final Sandboxes sandboxes;
    private final Programs programs;
    private final Map<PoolKey, HandlerPool> pools = new ConcurrentHashMap<>();
    private final Map<UUID, RunningAttempt> attempts = new ConcurrentHashMap<>();
    private final AtomicInteger taken = new AtomicInteger();
    private final ScheduledExecutorService sweeper = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("pool-sweeper").factory());
    private volatile boolean draining;

    /// Handlers that are one program, as the built-in ones, share processes. Namespaces never do.
    private record PoolKey(SandboxOrder order, int namespace) {}

    private SandboxedRunner(RunnerSettings settings, Sandboxes sandboxes, Programs programs) {
        this.settings = settings;
        this.sandboxes = sandboxes;
        this.programs = programs;
    }

    static SandboxedRunner open(RunnerSettings settings, List<Handler> handlers)
            throws HandlerUnreadableException, IOException {
        var sandboxes = Sandboxes.open(new Sandboxes.Settings(
                settings.stateDirectory(),
                settings.allowUnsandboxed(),
                new Watchdog.Patience(settings.ownedWithin(), settings.orphanGrace())));
        try {
            Programs programs = Programs.stage(handlers, settings.demoHandlers(), sandboxes);
            var runner = new SandboxedRunner(settings, sandboxes, programs);
            runner.start();
            return runner;
        } catch (HandlerUnreadableException | IOException | RuntimeException e) {
            sandboxes.close();
            throw e;
        }
    }

    private void start() {
        var _ = sweeper.scheduleWithFixedDelay(
                () -> pools.values().forEach(HandlerPool::sweep), SWEEP_SECONDS, SWEEP_SECONDS, TimeUnit.SECONDS);
        var warmed = new HashSet<SandboxOrder>();
        for (Programs.Program program : programs.all()) {
            boolean pooled = program.handler().isolation() == Isolation.POOLED;
            if (pooled && warmed.add(program.order()) && sandboxes.sandbox().isPresent()) {
                HandlerPool pool = pool(program, sandboxes.sandbox().get(), USUAL_NAMESPACE);
                Thread.startVirtualThread(pool::warm);
            }
        }
    }

    @Override
    public Attempt run(ExecutionRequest request, RunListener listener) {
        Optional<Programs.Program> program = programs.find(request.handler());
        Optional<Outcome.Refused> refusal = refusal(request, program);
        if (refusal.isEmpty() && !takeSlot()) {
            refusal = Optional.of(new Outcome.Refused(Reason.NO_SLOT, "all " + settings.slots() + " slots are taken"));
        }
        if (refusal.isPresent()) {
            return RunningAttempt.refused(request, refusal.get());
        }
        HandlerPool pool = pool(program.orElseThrow(), sandboxes.sandbox().orElseThrow(), request.namespace());
        var attempt = new RunningAttempt(
                request,
                listener,
                new RunningAttempt.Means(pool, sandboxes.watchdog().orElseThrow(), this::ended));
        if (attempts.putIfAbsent(request.execution(), attempt) != null) {
            taken.decrementAndGet();
            return RunningAttempt.refused(
                    request, new Outcome.Refused(Reason.ALREADY_RUNNING, "an attempt of this execution still runs"));
        }
        attempt.start();
        return attempt;
    }

    private Optional<Outcome.Refused> refusal(ExecutionRequest request, Optional<Programs.Program> program) {
        if (draining) {
            return Optional.of(new Outcome.Refused(Reason.DRAINING, "this worker is draining"));
        }
        if (!sandbox().usable()) {
            return Optional.of(new Outcome.Refused(Reason.NO_SANDBOX, sandbox().detail()));
        }
        if (!sandboxes.watchdog().orElseThrow().alive()) {
            return Optional.of(new Outcome.Refused(Reason.NO_SANDBOX, "the watchdog is being started again"));
        }
        if (program.isEmpty()) {
            String detail = programs.whyNot(request.handler());
            return Optional.of(new Outcome.Refused(Reason.UNKNOWN_HANDLER, detail));
        }
        return Optional.empty();
    }

    private boolean takeSlot() {
        if (taken.incrementAndGet() <= settings.slots()) {
            return true;
        }
        taken.decrementAndGet();
        return false;
    }

    private void ended(RunningAttempt attempt) {
        attempts.remove(attempt.request().execution(), attempt);
        taken.decrementAndGet();
    }

    private HandlerPool pool(Programs.Program program, Sandbox sandbox, int namespace) {
        return pools.computeIfAbsent(
                new PoolKey(program.order(), namespace),
                key -> new HandlerPool(
                        program.handler().name(), program.handler().isolation(), sandbox, program.order()));
    }

    @Override
    public List<Attempt> running() {
        return List.copyOf(attempts.values());
    }

    @Override
    public int slots() {
        return settings.slots();
    }

    @Override
    public List<Handler> handlers() {
        return programs.all().stream().map(Programs.Program::handler).toList();
    }

    @Override
    public SandboxReport sandbox() {
        return sandboxes.report();
    }

    @Override
    public Ownership ownership() {
        return new Ownership() {
            @Override
            public void owned(Collection<UUID> executions, Duration age) {
                sandboxes.watchdog().ifPresent(watchdog -> watchdog.owned(executions, age));
            }

            @Override
            public void databaseDown(Collection<UUID> executions, Duration age) {
                sandboxes.watchdog().ifPresent(watchdog -> watchdog.databaseDown(executions, age));
            }
        };
    }

    @Override
    public void drain() {
        draining = true;
    }

    @Override
    public void close() {
        draining = true;
        List<RunningAttempt> left = List.copyOf(attempts.values());
        left.forEach(RunningAttempt::abandon);
        for (RunningAttempt attempt : left) {
            if (!attempt.endsWithin(Duration.ofSeconds(CLOSE_SECONDS))) {
                LOG.log(
                        System.Logger.Level.ERROR,
                        "event=attempt_not_ended execution={0}; the watchdog kills what is left of it",
                        attempt.request().execution());
            }
        }
        sweeper.shutdownNow();
        pools.values().forEach(HandlerPool::close);
        try {
            sandboxes.close();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "event=sandboxes_not_closed", e);
        }
    }
}
