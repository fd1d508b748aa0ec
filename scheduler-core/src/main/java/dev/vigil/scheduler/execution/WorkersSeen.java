package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.Orphans.Sight;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// What this core last heard of each worker, for executions whose worker must be found again.
///
/// For use by many threads at once.
final class WorkersSeen {
    /// A list that arrives this long after a question was certainly made after it: the worker may have been sent
    /// something by another core that its list did not know yet.
    static final Duration CERTAIN = Duration.ofMillis(2500);

    private final Map<UUID, Seen> seen = new ConcurrentHashMap<>();

    /// A worker reported what it holds.
    void reported(WorkerBoot worker, List<Link.Running> running, long now) {
        Map<UUID, Long> fences = running.stream()
                .collect(Collectors.toUnmodifiableMap(Link.Running::execution, Link.Running::fence, Math::max));
        seen.put(worker.worker(), new Seen(worker.boot(), true, fences, now));
    }

    /// A worker said goodbye and runs nothing.
    void left(WorkerBoot worker, long now) {
        seen.computeIfPresent(
                worker.worker(),
                (id, before) ->
                        before.boot.equals(worker.boot()) ? new Seen(worker.boot(), true, Map.of(), now) : before);
        seen.putIfAbsent(worker.worker(), new Seen(worker.boot(), true, Map.of(), now));
    }

    /// Nothing is heard of a worker.
    void silent(WorkerBoot worker) {
        seen.computeIfPresent(
                worker.worker(),
                (id, before) ->
                        before.boot.equals(worker.boot()) ? new Seen(worker.boot(), false, Map.of(), 0) : before);
    }

    /// What is known of an open execution's worker.
    ///
    /// @param since lists from before do not count
    Sight sight(Open open, long since) {
        Seen worker = seen.get(open.worker.worker());
        if (worker == null || !worker.here) {
            return Sight.UNHEARD;
        }
        if (fence(open) != null) {
            return Sight.HERE_WITH_IT;
        }
        if (!worker.boot.equals(open.worker.boot())) {
            return Sight.GONE;
        }
        return worker.at - since >= CERTAIN.toNanos() ? Sight.HERE_WITHOUT_IT : Sight.UNHEARD;
    }

    /// The fence under which the worker says to hold it; null when it does not.
    @Nullable Long fence(Open open) {
        Seen worker = seen.get(open.worker.worker());
        return worker == null || !worker.boot.equals(open.worker.boot()) ? null : worker.fences.get(open.id());
    }

    private record Seen(UUID boot, boolean here, Map<UUID, Long> fences, long at) {}
}
