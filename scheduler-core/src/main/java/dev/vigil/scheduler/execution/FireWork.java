package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.OwnerReads.InboxRow;
import dev.vigil.scheduler.execution.ScheduleRows.Fired;
import dev.vigil.scheduler.execution.ScheduleRows.Occurrence;
import dev.vigil.scheduler.execution.ScheduleRows.Row;
import dev.vigil.scheduler.execution.ScheduleRows.Step;
import dev.vigil.scheduler.task.Fires;
import dev.vigil.scheduler.task.Schedule;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/// Fires schedules: each moves on and stores its occurrence a second ahead, or at its time when it is not
/// sooner known whether the occurrence runs.
///
/// Not for use by several threads.
final class FireWork {
    private final LoopState state;

    FireWork(LoopState state) {
        this.state = state;
    }

    /// Something about the schedules of a shard changed.
    static void look(OwnedShard shard) {
        shard.lookAt = Instant.EPOCH;
    }

    /// Something is to be decided about a schedule of a shard at this time.
    static void lookBy(OwnedShard shard, Instant at) {
        Instant known = shard.lookAt;
        shard.lookAt = known == null || at.isBefore(known) ? at : known;
    }

    /// Where a paused schedule goes on: what it missed meanwhile is not made up for.
    Optional<Instant> resumeAt(InboxRow command) {
        Instant now = state.core.clock().now();
        return state.truth.schedule(command.shard(), Objects.requireNonNull(command.ref())).stream()
                .findFirst()
                .flatMap((Schedule schedule) -> Fires.next(schedule, now));
    }

    /// Fires what is to be decided now.
    ///
    /// @return whether there may be more at once
    boolean fire() {
        if (!state.core.mayAct()) {
            return false;
        }
        Instant now = state.core.clock().now();
        List<Integer> shards = state.shards.values().stream()
                .filter(shard -> !shard.hasCommands() && shard.lookAt != null && !shard.lookAt.isAfter(now))
                .map(shard -> shard.id)
                .toList();
        if (shards.isEmpty()) {
            return false;
        }
        Instant bound = now.plus(Lanes.LOOK_AHEAD);
        List<Row> rows = state.truth.due(shards, bound);
        var steps = new ArrayList<Step>();
        var occurrences = new ArrayList<Occurrence>();
        shards.forEach(id -> state.shard(id).lookAt = null);
        for (Row row : rows) {
            Optional<FirePlan> plan = FirePlan.decide(row.rules(), row.nextAt(), now, row.standing());
            if (plan.isEmpty()) {
                lookBy(state.shard(row.shard()), row.nextAt());
            } else {
                steps.add(new Step(row, plan.get().next()));
                collect(row, plan.get(), now, occurrences);
            }
        }
        if (!steps.isEmpty()) {
            advance(steps, occurrences);
        }
        boolean more = rows.size() >= ScheduleRows.BATCH_MAX && !steps.isEmpty();
        List<Integer> owned = shards.stream().filter(state::owns).toList();
        if (more) {
            owned.forEach(id -> look(state.shard(id)));
        } else {
            state.truth
                    .first(owned, bound)
                    .forEach(first ->
                            lookBy(state.shard(first.shard()), first.at().minus(Lanes.LOOK_AHEAD)));
        }
        return more;
    }

    private static void collect(Row row, FirePlan plan, Instant now, List<Occurrence> occurrences) {
        plan.runs().forEach(at -> occurrences.add(runs(row, at, false)));
        plan.waits().forEach(at -> occurrences.add(runs(row, at, true)));
        for (FirePlan.Skip skip : plan.skips()) {
            byte[] event = ExecutionEvents.skipped(row, skip, now);
            UUID id = FireId.of(row.task(), skip.at());
            occurrences.add(new Occurrence(row, id, skip.at(), skip.at(), false, skip.code(), event));
        }
    }

    private static Occurrence runs(Row row, Instant at, boolean waits) {
        UUID id = FireId.of(row.task(), at);
        return new Occurrence(row, id, at, FirePlan.spread(row.rules(), id, at), waits, null, new byte[0]);
    }

    private void advance(List<Step> steps, List<Occurrence> occurrences) {
        Owned owned = state.owned(
                steps.stream().map(step -> step.row().shard()).distinct().toList());
        Set<Integer> passed = new HashSet<>();
        for (Fired fired : state.truth.advance(owned, steps, occurrences)) {
            passed.add(fired.shard());
            if (fired.lane() != null && fired.dueAt() != null) {
                state.shard(fired.shard()).lanes.rewind(fired.lane(), fired.dueAt());
            }
        }
        for (Step step : steps) {
            OwnedShard shard = state.shard(step.row().shard());
            if (!passed.contains(shard.id)) {
                look(shard);
            } else if (step.next() != null) {
                lookBy(shard, step.next().minus(Lanes.LOOK_AHEAD));
            }
        }
        occurrences.stream()
                .filter(one -> one.waits() && passed.contains(one.row().shard()))
                .forEach(one -> state.shard(one.row().shard()).waits(one.row().task()));
        state.examine(state.missing(owned, passed));
    }
}
