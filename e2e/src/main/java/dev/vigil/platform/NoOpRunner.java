package dev.vigil.platform;

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
import dev.vigil.bench.Starts;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import tools.jackson.databind.json.JsonMapper;

/// Runs one handler in this process: it reads its input, tells when it started, and is done.
final class NoOpRunner implements Runner {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final Handler HANDLER = new Handler(
            BenchCaller.HANDLER,
            "1",
            Path.of("/"),
            List.of(),
            Isolation.POOLED,
            Optional.empty(),
            Optional.empty(),
            Limits.DEFAULT,
            null);

    private final int slots;
    private final StartReports reports;
    private final InstantSource clock;
    private volatile boolean draining;

    NoOpRunner(int slots, StartReports reports, InstantSource clock) {
        this.slots = slots;
        this.reports = reports;
        this.clock = clock;
    }

    private record Over(ExecutionRequest request, CompletableFuture<Outcome> outcome) implements Attempt {
        @Override
        public void cancel(Duration grace) {
            // It is over already.
        }
    }

    @Override
    public Attempt run(ExecutionRequest request, RunListener listener) {
        if (draining) {
            return new Over(
                    request,
                    CompletableFuture.completedFuture(
                            new Outcome.Refused(Outcome.Reason.DRAINING, "this worker is draining")));
        }
        long began = System.nanoTime();
        long at = Starts.micros(clock.instant());
        long t0 = JSON.readTree(request.input()).path("t0").asLong();
        reports.started(t0 == 0 ? Starts.micros(request.scheduledFor()) : t0, at);
        listener.started(request.execution());
        Outcome done = new Outcome.Done(
                "null".getBytes(StandardCharsets.UTF_8), Duration.ofNanos(System.nanoTime() - began), false);
        return new Over(request, CompletableFuture.completedFuture(done));
    }

    @Override
    public List<Attempt> running() {
        return List.of();
    }

    @Override
    public int slots() {
        return slots;
    }

    @Override
    public List<Handler> handlers() {
        return List.of(HANDLER);
    }

    @Override
    public SandboxReport sandbox() {
        return new SandboxReport("none", "none", true, "the handler of a benchmark runs in the worker's own process");
    }

    @Override
    public Ownership ownership() {
        return new Ownership() {
            @Override
            public void owned(Collection<UUID> executions, Duration age) {
                // Nothing runs long enough to be given up.
            }

            @Override
            public void databaseDown(Collection<UUID> executions, Duration age) {
                // The same.
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
    }
}
