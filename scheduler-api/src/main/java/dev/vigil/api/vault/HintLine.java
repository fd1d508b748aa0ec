package dev.vigil.api.vault;

import dev.vigil.scheduler.task.ShardHints.ShardHint;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// What one core is still to be told. One hint is under way at a time, and what comes meanwhile goes with the next one:
/// a core that is slow to answer gets fewer calls, not more of them at once, and keeps its breath for its workers.
final class HintLine {
    /// After a hint that was lost: the core looks by itself once a second, so there is no hurry.
    private static final Duration REST = Duration.ofMillis(250);

    private final Wire wire;
    private Map<Integer, ShardHint> shards = new LinkedHashMap<>();
    private Set<UUID> workers = new LinkedHashSet<>();
    private boolean underWay;

    /// Sends to that core.
    HintLine(Wire wire) {
        this.wire = wire;
    }

    /// Something has changed in these shards and about these workers.
    record Hint(List<ShardHint> shards, Set<UUID> workers) {}

    /// Carries a hint to the core. The stage ends when the core has answered, or with the fault.
    @FunctionalInterface
    interface Wire {
        CompletionStage<?> send(Hint hint);
    }

    /// Tells the core, now or right after what is under way.
    void tell(Collection<ShardHint> changedShards, Collection<UUID> changedWorkers) {
        synchronized (this) {
            changedShards.forEach(hint -> shards.merge(hint.shard(), hint, ShardHint::and));
            workers.addAll(changedWorkers);
            if (underWay) {
                return;
            }
            underWay = true;
        }
        next();
    }

    private void next() {
        Hint hint;
        synchronized (this) {
            if (shards.isEmpty() && workers.isEmpty()) {
                underWay = false;
                return;
            }
            hint = new Hint(List.copyOf(shards.values()), workers);
            shards = new LinkedHashMap<>();
            workers = new LinkedHashSet<>();
        }
        sent(hint).whenComplete((_, fault) -> after(fault).execute(this::next));
    }

    private CompletionStage<?> sent(Hint hint) {
        try {
            return wire.send(hint);
        } catch (RuntimeException unsent) {
            return CompletableFuture.failedFuture(unsent);
        }
    }

    private static Executor after(@Nullable Throwable fault) {
        return fault == null
                ? Runnable::run
                : CompletableFuture.delayedExecutor(REST.toMillis(), TimeUnit.MILLISECONDS);
    }
}
