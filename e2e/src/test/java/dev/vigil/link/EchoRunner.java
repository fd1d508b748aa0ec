package dev.vigil.link;

import dev.vigil.agent.handler.Attempt;
import dev.vigil.agent.handler.ExecutionRequest;
import dev.vigil.agent.handler.Handler;
import dev.vigil.agent.handler.Isolation;
import dev.vigil.agent.handler.Outcome;
import dev.vigil.agent.handler.Ownership;
import dev.vigil.agent.handler.RunListener;
import dev.vigil.agent.handler.Runner;
import dev.vigil.agent.sandbox.Limits;
import dev.vigil.agent.sandbox.SandboxReport;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/// Runs `demo.echo` in this JVM: answers at once with its input, or holds everything until told.
final class EchoRunner implements Runner, Ownership {
    final Set<UUID> owned = ConcurrentHashMap.newKeySet();
    final Set<UUID> databaseDown = ConcurrentHashMap.newKeySet();
    final List<EchoAttempt> started = new CopyOnWriteArrayList<>();
    volatile boolean holding;
    /// While it is set the agent's link thread stands still, as a whole agent does that is paused.
    volatile @Nullable CountDownLatch frozen;
    final CountDownLatch standsStill = new CountDownLatch(1);
    /// While it is set, an attempt has begun and is not yet given back.
    volatile @Nullable CountDownLatch beginning;
    private final int slots;

    EchoRunner(int slots) {
        this.slots = slots;
    }

    record EchoAttempt(ExecutionRequest request, RunListener listener, CompletableFuture<Outcome> outcome)
            implements Attempt {
        @Override
        public void cancel(Duration grace) {
            outcome.complete(new Outcome.Cancelled(Duration.ofMillis(1), true));
        }

        void finish() {
            outcome.complete(new Outcome.Done(request.input(), Duration.ofMillis(1), false));
        }
    }

    @Override
    public Attempt run(ExecutionRequest request, RunListener listener) {
        var attempt = new EchoAttempt(request, listener, new CompletableFuture<>());
        listener.started(request.execution());
        started.add(attempt);
        await(beginning);
        if (!holding) {
            attempt.finish();
        }
        return attempt;
    }

    void finishAll() {
        holding = false;
        started.forEach(EchoAttempt::finish);
    }

    @Override
    public List<Attempt> running() {
        return started.stream()
                .filter(attempt -> !attempt.outcome().isDone())
                .map(Attempt.class::cast)
                .toList();
    }

    @Override
    public int slots() {
        CountDownLatch until = frozen;
        if (until != null) {
            standsStill.countDown();
            await(until);
        }
        return slots;
    }

    private static void await(@Nullable CountDownLatch until) {
        if (until != null) {
            try {
                until.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public List<Handler> handlers() {
        return List.of(new Handler(
                "demo.echo",
                "1",
                Path.of("/"),
                List.of("echo"),
                Isolation.POOLED,
                Optional.empty(),
                Optional.empty(),
                Limits.DEFAULT,
                null));
    }

    @Override
    public SandboxReport sandbox() {
        return new SandboxReport("none", "rlimit", true, "a test runs in this JVM");
    }

    @Override
    public Ownership ownership() {
        return this;
    }

    @Override
    public void owned(Collection<UUID> executions, Duration age) {
        owned.addAll(executions);
    }

    @Override
    public void databaseDown(Collection<UUID> executions, Duration age) {
        databaseDown.addAll(executions);
    }

    @Override
    public void drain() {}

    @Override
    public void close() {}
}
