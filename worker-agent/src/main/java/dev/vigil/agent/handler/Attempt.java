package dev.vigil.agent.handler;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/// A running attempt.
public interface Attempt {
    ExecutionRequest request();

    /// Completes once, always with a value, never with an exception; after a timeout or a cancel only when the
    /// process tree is gone.
    CompletableFuture<Outcome> outcome();

    /// Asks the handler to stop. It may finish within the grace ([Outcome.Done] then stays Done); after it the tree
    /// gets SIGTERM and SIGKILL. A second call may shorten the grace, never lengthen it.
    void cancel(Duration grace);
}
