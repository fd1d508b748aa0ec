package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.EndingRows.Ending;
import dev.vigil.scheduler.execution.EndingRows.Reached;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// A closer with a thread of its own.
final class PostgresCloser implements Closer {
    private final Truth truth;
    private final ExecutorService thread;
    private CompletableFuture<Reached> batch = CompletableFuture.completedFuture(Reached.NOTHING);
    private boolean failed;

    /// @param truth over a connection that nobody else uses
    PostgresCloser(String name, Truth truth) {
        this.truth = truth;
        this.thread = Executors.newSingleThreadExecutor(
                Thread.ofPlatform().name(name).daemon(true).factory());
    }

    @Override
    public void begin(Owned owned, List<Ending> endings, Runnable told) {
        CompletableFuture<Reached> begun = CompletableFuture.supplyAsync(() -> truth.close(owned, endings), thread);
        batch = begun;
        var _ = begun.whenComplete((reached, failure) -> told.run());
    }

    @Override
    public boolean isOver() {
        return batch.isDone();
    }

    @Override
    public Reached await() {
        try {
            return batch.join();
        } catch (CompletionException failure) {
            failed = true;
            if (failure.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw failure;
        }
    }

    @Override
    public void renew() {
        if (failed) {
            truth.close();
            truth.snapshot(); // a connection that begins anew ends the backend of the one before
            failed = false;
        }
    }

    @Override
    public void close() {
        thread.execute(truth::close);
        thread.shutdown();
    }
}
