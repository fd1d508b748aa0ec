package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.SuccessionRows.Turn;
import dev.vigil.scheduler.task.Lane;
import dev.vigil.scheduler.task.Overlap;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// Lets executions go that wait for the one before, and stops those that a later one replaces. That an execution waits
/// is stored in its lane, so a successor finds all of this again.
///
/// Not for use by several threads.
final class Succession {
    private final LoopState state;
    private final Endings endings;

    Succession(LoopState state, Endings endings) {
        this.state = state;
        this.endings = endings;
    }

    /// Looks at the tasks whose turn it may be. Costs nothing while nothing waits.
    void step() {
        List<SuccessionRows.Asked> asked = state.shards.values().stream()
                .flatMap(shard -> shard.turns.stream().map(task -> new SuccessionRows.Asked(shard.id, task)))
                .toList();
        if (asked.isEmpty()) {
            return;
        }
        Owned owned = state.owned(
                asked.stream().map(SuccessionRows.Asked::shard).distinct().toList());
        List<Turn> turns = state.truth.let(owned, asked);
        var passed = new HashSet<Integer>();
        var byTask = new HashMap<UUID, List<Turn>>();
        for (Turn turn : turns) {
            passed.add(turn.shard());
            if (turn.task() != null) {
                byTask.computeIfAbsent(turn.task(), task -> new ArrayList<>()).add(turn);
            }
        }
        for (SuccessionRows.Asked one : asked) {
            if (passed.contains(one.shard())) {
                apply(state.shard(one.shard()), one.task(), byTask.getOrDefault(one.task(), List.of()));
            }
        }
        state.examine(state.missing(owned, passed));
    }

    private void apply(OwnedShard shard, UUID task, List<Turn> turns) {
        shard.turns.remove(task);
        Map<UUID, Turn> left = new HashMap<>();
        for (Turn turn : turns) {
            if (Lane.isDispatchable(turn.lane()) && turn.moved()) {
                shard.lanes.rewind(turn.lane(), turn.dueAt());
            }
            left.put(turn.id(), turn);
        }
        List<Turn> waiting =
                turns.stream().filter(turn -> Lane.isWaiting(turn.lane())).toList();
        if (waiting.isEmpty()) {
            shard.waiting.remove(task);
        } else if (turns.getFirst().overlap() == Overlap.REPLACE) {
            // The newest takes the place of all others.
            left.remove(waiting.getLast().id());
            endings.stop(shard, left.keySet(), true);
        }
    }
}
