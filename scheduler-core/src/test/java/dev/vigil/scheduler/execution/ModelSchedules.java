package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.ModelRows.Ended;
import dev.vigil.scheduler.execution.ModelRows.Execution;
import dev.vigil.scheduler.execution.ModelRows.Schedule;
import dev.vigil.scheduler.execution.ScheduleRows.Fired;
import dev.vigil.scheduler.execution.ScheduleRows.First;
import dev.vigil.scheduler.execution.ScheduleRows.Occurrence;
import dev.vigil.scheduler.execution.ScheduleRows.Row;
import dev.vigil.scheduler.execution.ScheduleRows.Step;
import dev.vigil.scheduler.execution.SuccessionRows.Asked;
import dev.vigil.scheduler.execution.SuccessionRows.Turn;
import dev.vigil.scheduler.history.Event;
import dev.vigil.scheduler.task.Lane;
import dev.vigil.scheduler.task.Overlap;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;

/// What the statements about schedules do to the rows of the model.
final class ModelSchedules {
    private final ModelDatabase database;
    private final ModelRows rows;
    private final SchedulePromises promises;

    ModelSchedules(ModelDatabase database, SchedulePromises promises) {
        this.database = database;
        this.rows = database.rows;
        this.promises = promises;
    }

    void create(Schedule schedule) {
        rows.schedules.put(schedule.task.id(), schedule);
        rows.tasks.put(schedule.task.id(), schedule.task);
        database.created(schedule.shard, schedule.nextAt);
    }

    private List<Execution> open(Schedule schedule) {
        return schedule.open.stream()
                .map(rows.executions::get)
                .filter(Objects::nonNull)
                .toList();
    }

    List<Row> due(Collection<Integer> shards, Instant bound) {
        return rows.schedules.values().stream()
                .filter(one -> shards.contains(one.shard) && !one.paused && !one.nextAt.isAfter(bound))
                .sorted(Comparator.comparing((Schedule one) -> one.nextAt))
                .map(one -> {
                    List<Execution> open = open(one);
                    int waiting = (int)
                            open.stream().filter(e -> Lane.isWaiting(e.lane)).count();
                    var facts = new ScheduleRows.Facts(one.task.owner(), one.task.handler(), one.task.keyId(), 1);
                    return new Row(
                            one.shard,
                            1,
                            one.task.id(),
                            1,
                            one.nextAt,
                            new FirePlan.Standing(open.size(), waiting),
                            one.lane,
                            one.rules,
                            facts);
                })
                .toList();
    }

    List<First> first(Collection<Integer> shards, Instant bound) {
        var found = new ArrayList<First>();
        for (int shard : shards) {
            rows.schedules.values().stream()
                    .filter(one -> one.shard == shard && !one.paused && one.nextAt.isAfter(bound))
                    .map(one -> one.nextAt)
                    .min(Comparator.naturalOrder())
                    .ifPresent(at -> found.add(new First(shard, at)));
        }
        return found;
    }

    List<Fired> advance(Owned owned, List<Step> steps, List<Occurrence> occurrences) {
        Set<Integer> passed = database.informed(owned);
        var fired = new ArrayList<Fired>();
        passed.forEach(shard -> fired.add(new Fired(shard, null, null)));
        for (Step step : steps) {
            Schedule schedule = rows.schedules.get(step.row().task());
            if (!passed.contains(step.row().shard())
                    || schedule == null
                    || !schedule.nextAt.equals(step.row().nextAt())) {
                continue;
            }
            List<Occurrence> his = occurrences.stream()
                    .filter(one -> one.row().task().equals(schedule.task.id()))
                    .toList();
            promises.advanced(schedule, his, open(schedule).size());
            schedule.nextAt = Objects.requireNonNull(step.next(), "the schedules of the model never end");
            var open =
                    new ArrayList<>(open(schedule).stream().map(Execution::id).toList());
            for (Occurrence one : his) {
                if (one.code() == null) {
                    open.add(one.id());
                    int lane = one.waits() ? Lane.waiting(schedule.lane) : schedule.lane;
                    database.store(new Due(
                            schedule.shard, one.id(), lane, one.dueAt(), one.at(), 0, 0, 0, schedule.task, null, 1));
                    fired.add(new Fired(schedule.shard, lane, one.dueAt()));
                } else {
                    promises.skipped(schedule, one);
                    rows.history.put(one.id(), new Ended(schedule.task.id(), one.at(), State.SKIPPED, one.code()));
                }
            }
            schedule.open = open;
            promises.oneAtATime(schedule, open(schedule));
        }
        return fired;
    }

    List<Asked> waiting(Collection<Integer> shards) {
        var asked = new HashSet<Asked>();
        rows.executions.values().stream()
                .filter(one -> shards.contains(one.shard()) && Lane.isWaiting(one.lane))
                .forEach(
                        one -> asked.add(new Asked(one.shard(), one.first.task().id())));
        return List.copyOf(asked);
    }

    List<Turn> let(Owned owned, List<Asked> asked) {
        Set<Integer> passed = database.passed(owned);
        var turns = new ArrayList<Turn>();
        for (Asked one : asked) {
            Schedule schedule = rows.schedules.get(one.task());
            if (!passed.contains(one.shard()) || schedule == null) {
                continue;
            }
            List<Execution> open = open(schedule).stream()
                    .sorted(Comparator.comparing((Execution e) -> e.dueAt).thenComparing(Execution::id))
                    .toList();
            Overlap overlap = schedule.rules.overlap();
            List<Execution> waiting =
                    open.stream().filter(e -> Lane.isWaiting(e.lane)).toList();
            boolean active = waiting.size() < open.size();
            Execution chosen = waiting.isEmpty() || active
                    ? null
                    : overlap == Overlap.REPLACE ? waiting.getLast() : waiting.getFirst();
            for (Execution e : open) {
                boolean moved = Lane.isWaiting(e.lane) && (overlap == Overlap.ALLOW || e == chosen);
                if (moved) {
                    e.lane = schedule.paused ? Lane.held(schedule.lane) : schedule.lane;
                    database.world.tell(new Event.Due(database.world.time(), e.id(), e.dueAt));
                }
                turns.add(new Turn(one.shard(), one.task(), e.id(), e.lane, e.dueAt, overlap, moved));
            }
            promises.oneAtATime(schedule, open);
        }
        passed.forEach(
                shard -> turns.add(new Turn(shard, null, new UUID(0, 0), 0, Instant.EPOCH, Overlap.ALLOW, false)));
        return turns;
    }
}
