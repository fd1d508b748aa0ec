package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.DependencyRows.Dependent;
import dev.vigil.scheduler.execution.DependencyRows.Looked;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// Lets executions go whose predecessors have succeeded, and passes those over of which one has not.
///
/// The statement that ends a predecessor asks for the look, in the dependent's inbox. One that took its snapshot before
/// the dependent was stored does not know of it, whatever it commits later; so a dependent is looked at again
/// and again until no such statement can be left.
///
/// Not for use by several threads.
final class Dependencies {
    private static final Duration FIRST = Duration.ofSeconds(1);

    /// Longer than a transaction may last (30 s), twice: the one that stores the dependent, and one that began just
    /// before it was committed. The waits double, so their sum is above this.
    private static final Duration LONGEST = Duration.ofSeconds(64);

    /// Most dependents of a statement.
    private static final int BATCH_MAX = 1000;

    private final LoopState state;
    private final Endings endings;
    private final Map<UUID, Look> looks = new HashMap<>();

    Dependencies(LoopState state, Endings endings) {
        this.state = state;
        this.endings = endings;
    }

    /// When to look at a dependent, and how long to wait after that.
    private record Look(int shard, long at, Duration gap) {}

    /// Shards have come.
    void adopt(Collection<Integer> shards) {
        if (!shards.isEmpty()) {
            note(state.truth.youngDependents(shards));
            note(state.truth.askedDependents(shards));
        }
    }

    private void note(List<Dependent> dependents) {
        long now = state.core.nanos();
        dependents.forEach(one -> looks.put(one.id(), new Look(one.shard(), now, FIRST)));
    }

    /// Somebody asks for it, or its task is not held any more: what it waits for may be over.
    void look(OwnedShard shard, UUID dependent) {
        note(List.of(new Dependent(shard.id, dependent)));
    }

    /// Looks at those whose time has come. Costs nothing while there are none.
    void step() {
        if (looks.isEmpty()) {
            return;
        }
        looks.values().removeIf(look -> !state.owns(look.shard));
        long now = state.core.nanos();
        Map<UUID, Look> due = new HashMap<>();
        looks.forEach((id, look) -> {
            if (look.at - now <= 0 && due.size() < BATCH_MAX) {
                due.put(id, look);
            }
        });
        if (!due.isEmpty()) {
            look(due, now);
        }
    }

    private void look(Map<UUID, Look> due, long now) {
        Owned owned =
                state.owned(due.values().stream().map(Look::shard).distinct().toList());
        var passed = new HashSet<Integer>();
        var failed = new HashMap<Integer, List<UUID>>();
        for (Looked one : state.truth.lookAt(owned, due.keySet())) {
            passed.add(one.shard());
            if (one.lane() != null && one.dueAt() != null) {
                state.shard(one.shard()).lanes.rewind(one.lane(), one.dueAt());
            } else if (one.id() != null) {
                failed.computeIfAbsent(one.shard(), shard -> new ArrayList<>()).add(one.id());
            }
        }
        failed.forEach((shard, ids) ->
                state.truth.byId(shard, ids).forEach(found -> endings.skipped(found, "dependency_failed")));
        due.forEach((id, look) -> {
            if (look.gap.compareTo(LONGEST) <= 0) {
                looks.put(id, new Look(look.shard, now + look.gap.toNanos(), look.gap.multipliedBy(2)));
            } else if (failed.getOrDefault(look.shard, List.of()).contains(id)) {
                // It was to end, and is there: nobody asks again.
                looks.put(id, new Look(look.shard, now + LONGEST.toNanos(), look.gap));
            } else {
                looks.remove(id);
            }
        });
        state.examine(state.missing(owned, passed));
    }
}
