package dev.vigil.agent.handler;

import dev.vigil.agent.handler.HandlerPool.Taken;
import dev.vigil.agent.handler.HandlerProcess.Event;
import dev.vigil.agent.sandbox.Watchdog;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One attempt on its own virtual thread: takes a process, talks to it, gives it back or sees it killed.
final class RunningAttempt implements Attempt {
    private static final System.Logger LOG = System.getLogger(RunningAttempt.class.getName());

    private final ExecutionRequest request;
    private final RunListener listener;
    private final @Nullable Means means;
    private final CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    private final long startedAt = System.nanoTime();
    /// Guarded by this: what happened before there was a process that could be told.
    private @Nullable Event early;
    private @Nullable HandlerProcess process;

    /// What an attempt needs of its runner.
    ///
    /// @param ended called once, before the outcome is known
    record Means(HandlerPool pool, Watchdog watchdog, Consumer<RunningAttempt> ended) {}

    RunningAttempt(ExecutionRequest request, RunListener listener, @Nullable Means means) {
        this.request = request;
        this.listener = listener;
        this.means = means;
    }

    /// An attempt that has its outcome from the beginning.
    static RunningAttempt refused(ExecutionRequest request, Outcome.Refused refusal) {
        var attempt = new RunningAttempt(request, RunListener.NONE, null);
        attempt.outcome.complete(refusal);
        return attempt;
    }

    void start() {
        Thread.ofVirtual().name("attempt-" + request.execution()).start(this::attempt);
    }

    @Override
    public ExecutionRequest request() {
        return request;
    }

    @Override
    public CompletableFuture<Outcome> outcome() {
        return outcome.copy();
    }

    @Override
    public void cancel(Duration grace) {
        tell(new Event.Cancel(grace.toNanos()));
    }

    void abandon() {
        tell(new Event.Abandon());
    }

    private synchronized void tell(Event event) {
        if (process != null) {
            process.force(event);
        } else if (early == null || event instanceof Event.Abandon) {
            early = event;
        }
    }

    boolean endsWithin(Duration time) {
        try {
            outcome.get(time.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (ExecutionException e) {
            return true; // never: it completes with values only
        }
    }

    private void attempt() {
        Means with = java.util.Objects.requireNonNull(means);
        Outcome result;
        try {
            result = run(with);
        } catch (Exception | Error e) {
            LOG.log(System.Logger.Level.ERROR, "event=attempt_broke execution=" + request.execution(), e);
            boolean gone = killProcess();
            result = failed(
                    "worker_error",
                    "the worker could not run it: " + e.getClass().getSimpleName(),
                    gone);
        }
        with.ended().accept(this);
        outcome.complete(result);
    }

    private Outcome run(Means with) throws IOException, InterruptedException {
        if (!HandlerLine.isJson(request.input())) {
            return new Outcome.Failed(
                    new Outcome.Failure("input_not_json", "the payload is not JSON text"),
                    false,
                    Optional.empty(),
                    duration(),
                    true);
        }
        return switch (with.pool().take()) {
            case Taken.Failed(String why, Duration again) ->
                new Outcome.Failed(
                        new Outcome.Failure("handler_not_started", why), true, Optional.of(again), duration(), true);
            case Taken.Ready(HandlerProcess taken) -> run(with, taken);
        };
    }

    private Outcome run(Means with, HandlerProcess taken) throws IOException, InterruptedException {
        Event before;
        synchronized (this) {
            process = taken;
            before = early;
        }
        boolean late = duration().compareTo(request.timeout()) > 0;
        if (before != null || late) {
            boolean gone = taken.kill();
            return switch (before) {
                case Event.Abandon() -> new Outcome.Abandoned("the worker is closing", duration(), gone);
                case null -> new Outcome.TimedOut(duration(), gone);
                default -> new Outcome.Cancelled(duration(), gone);
            };
        }
        with.watchdog().begin(request.execution(), taken.sandbox());
        try {
            return converse(with, taken);
        } finally {
            with.watchdog().end(request.execution());
        }
    }

    private Outcome converse(Means with, HandlerProcess taken) throws IOException, InterruptedException {
        Map<String, byte[]> secrets = request.secrets();
        Map<String, String> paths =
                secrets.isEmpty() ? Map.of() : taken.sandbox().putSecrets(secrets);
        var setting = new Conversation.Setting(listener, with.watchdog(), startedAt);
        var conversation = new Conversation(taken, request, setting);
        if (with.pool().isolation() == Isolation.FRESH) {
            taken.open();
            Thread.startVirtualThread(with.pool()::warm);
            return conversation.fresh(paths);
        }
        if (!taken.serves().contains(request.handler())) {
            boolean gone = taken.kill();
            return failed("wrong_hello", "the hello of its process does not list " + request.handler(), gone);
        }
        Outcome result = conversation.pooled(paths);
        if (conversation.stays()) {
            if (!secrets.isEmpty()) {
                taken.sandbox().clearSecrets();
            }
            synchronized (this) {
                process = null; // a late cancel must not reach its next attempt
                early = null;
            }
            with.pool().giveBack(taken);
        }
        return result;
    }

    private boolean killProcess() {
        HandlerProcess taken;
        synchronized (this) {
            taken = process;
        }
        return taken == null || taken.kill();
    }

    private Outcome failed(String code, String detail, boolean gone) {
        return new Outcome.Failed(new Outcome.Failure(code, detail), true, Optional.empty(), duration(), gone);
    }

    private Duration duration() {
        return Duration.ofNanos(System.nanoTime() - startedAt);
    }
}
