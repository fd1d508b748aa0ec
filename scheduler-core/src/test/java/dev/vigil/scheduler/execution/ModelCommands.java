package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.CommandWrites.Released;
import dev.vigil.scheduler.execution.ModelRows.Dependency;
import dev.vigil.scheduler.execution.ModelRows.Execution;
import dev.vigil.scheduler.execution.ModelRows.Schedule;
import dev.vigil.scheduler.execution.ModelRows.Shard;
import dev.vigil.scheduler.execution.OwnerReads.InboxRow;
import dev.vigil.scheduler.history.Event;
import dev.vigil.scheduler.task.Commands.Kind;
import dev.vigil.scheduler.task.Lane;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What commands and dependencies do to the rows of the model: those that clients store, and the statements by which an
/// owner carries them out.
final class ModelCommands {
    /// An end whose statement began before a dependent was stored does not know of it.
    private static final long OVERLOOKED = 2 * World.SECOND;

    private final ModelDatabase database;
    private final ModelRows rows;
    private final World world;
    private final CommandPromises promises;

    ModelCommands(ModelDatabase database) {
        this.database = database;
        this.rows = database.rows;
        this.world = database.world;
        this.promises = database.promises;
    }

    /// A client commands something: from now on it is promised.
    void command(Kind kind, int shard, UUID ref) {
        Shard row = rows.shards.get(shard);
        row.changeSeq++;
        rows.transaction++;
        rows.inbox.add(new InboxRow(shard, rows.transaction, rows.transaction, kind, 0, null, ref, 1, row.changeSeq));
        promises.commanded(kind, ref);
    }

    /// A client changes a task: a version more, under another priority perhaps.
    void patch(TaskFacts task, int shard, int lane) {
        int version = task.version() + 1;
        rows.tasks.put(
                task.id(),
                new TaskFacts(
                        task.namespace(),
                        task.id(),
                        version,
                        task.owner(),
                        task.handler(),
                        task.keyId(),
                        version,
                        task.timeout(),
                        task.retry(),
                        task.limited(),
                        task.once()));
        rows.lanes.put(task.id(), lane);
        command(Kind.PATCH, shard, task.id());
    }

    /// A task is stored that comes after others.
    void depends(UUID dependent, int shard, Collection<UUID> predecessors) {
        predecessors.forEach(one -> rows.dependencies.add(new Dependency(one, dependent, shard, world.now())));
        promises.depends(dependent, predecessors);
        ask(shard, dependent);
    }

    private void ask(int shard, UUID dependent) {
        rows.transaction++;
        rows.inbox.add(new InboxRow(shard, rows.transaction, rows.transaction, Kind.RELEASE, 0, null, dependent, 1, 0));
    }

    List<InboxRow> commands(Collection<Integer> shards) {
        return rows.inbox.stream()
                .filter(row -> shards.contains(row.shard()) && row.changeSeq() > 0)
                .sorted(Comparator.comparingInt(InboxRow::shard).thenComparingLong(InboxRow::changeSeq))
                .toList();
    }

    private boolean passes(Owned owned, InboxRow command) {
        return database.passed(owned).contains(command.shard());
    }

    boolean done(Owned owned, InboxRow command) {
        boolean passes = passes(owned, command);
        if (passes) {
            rows.inbox.removeIf(row -> row.seq() == command.seq());
        }
        return passes;
    }

    private @Nullable Schedule schedule(InboxRow command) {
        return rows.schedules.get(Objects.requireNonNull(command.ref()));
    }

    /// The executions that a command about a task means.
    private List<Execution> meant(InboxRow command) {
        Schedule schedule = schedule(command);
        Stream<UUID> open = schedule == null ? Stream.of() : schedule.open.stream();
        return Stream.concat(Stream.of(Objects.requireNonNull(command.ref())), open)
                .map(rows.executions::get)
                .filter(Objects::nonNull)
                .toList();
    }

    boolean hold(Owned owned, InboxRow command) {
        if (!done(owned, command)) {
            return false;
        }
        for (Execution one : meant(command)) {
            if (Lane.isDispatchable(one.lane)) {
                one.lane = Lane.held(one.lane);
            } else if (one.lane < -200) {
                one.lane = 200 + one.lane;
            }
        }
        Schedule schedule = schedule(command);
        if (schedule != null) {
            schedule.paused = true;
        }
        return true;
    }

    List<dev.vigil.scheduler.task.Schedule> schedule(int shard, UUID task) {
        Schedule schedule = rows.schedules.get(task);
        return schedule == null || schedule.shard != shard ? List.of() : List.of(schedule.rules.schedule());
    }

    List<Released> resume(Owned owned, InboxRow command, @Nullable Instant nextAt) {
        if (!done(owned, command)) {
            return List.of();
        }
        var released = passed(command);
        for (Execution one : meant(command)) {
            if (Lane.isHeld(one.lane)) {
                boolean waits = rows.dependencies.stream()
                        .anyMatch(row -> row.dependent().equals(one.id()));
                one.lane = waits ? one.lane - 200 : Lane.held(one.lane);
                released.add(new Released(one.shard(), one.id(), one.lane, one.dueAt));
            }
        }
        Schedule schedule = schedule(command);
        if (schedule != null) {
            schedule.paused = false;
            schedule.goOn(nextAt);
        }
        return released;
    }

    private static List<Released> passed(InboxRow command) {
        var released = new ArrayList<Released>();
        released.add(new Released(command.shard(), null, null, null));
        return released;
    }

    List<Released> renew(Owned owned, InboxRow command, List<UUID> dispatched) {
        if (!done(owned, command)) {
            return List.of();
        }
        var released = passed(command);
        UUID task = Objects.requireNonNull(command.ref());
        int lane = rows.lanes.getOrDefault(task, ModelDatabase.LANE);
        for (Execution one : meant(command)) {
            if (one.fenceMin == 0 && !dispatched.contains(one.id())) {
                one.facts = Objects.requireNonNull(rows.tasks.get(task));
                one.lane = Lane.isDispatchable(one.lane)
                        ? lane
                        : Lane.isHeld(one.lane) ? Lane.held(lane) : Lane.dependent(lane);
                released.add(new Released(one.shard(), one.id(), one.lane, one.dueAt));
            }
        }
        return released;
    }

    /// An execution has ended: whoever comes after it is asked for, unless the statement that ended it began before the
    /// dependent was stored.
    ///
    /// @return the shards of those
    List<Integer> asked(UUID ended) {
        var shards = new ArrayList<Integer>();
        for (Dependency one : List.copyOf(rows.dependencies)) {
            boolean overlooked = world.now() - one.storedAt() < OVERLOOKED && world.happens(0.5);
            if (one.predecessor().equals(ended) && !overlooked) {
                ask(one.shard(), one.dependent());
                shards.add(one.shard());
            }
        }
        return shards;
    }

    List<DependencyRows.Dependent> asked(Collection<Integer> shards) {
        return rows.inbox.stream()
                .filter(row -> row.kind() == Kind.RELEASE && shards.contains(row.shard()))
                .map(row -> new DependencyRows.Dependent(row.shard(), Objects.requireNonNull(row.ref())))
                .toList();
    }

    List<DependencyRows.Dependent> young(Collection<Integer> shards) {
        return rows.dependencies.stream()
                .filter(row -> shards.contains(row.shard()))
                .map(row -> new DependencyRows.Dependent(row.shard(), row.dependent()))
                .distinct()
                .toList();
    }

    List<DependencyRows.Looked> lookAt(Owned owned, Collection<UUID> dependents) {
        Set<Integer> passed = database.passed(owned);
        var looked = new ArrayList<DependencyRows.Looked>();
        passed.forEach(shard -> looked.add(new DependencyRows.Looked(shard, null, null, null)));
        for (UUID id : dependents) {
            Execution dependent = rows.executions.get(id);
            if (dependent != null && passed.contains(dependent.shard())) {
                lookAt(dependent, looked);
            }
            boolean failed = looked.stream().anyMatch(one -> id.equals(one.id()) && one.lane() == null);
            rows.inbox.removeIf(row ->
                    row.kind() == Kind.RELEASE && id.equals(row.ref()) && passed.contains(row.shard()) && !failed);
        }
        return looked;
    }

    private void lookAt(Execution dependent, List<DependencyRows.Looked> looked) {
        List<Dependency> his = rows.dependencies.stream()
                .filter(row -> row.dependent().equals(dependent.id()))
                .toList();
        boolean waits = false;
        boolean failed = false;
        for (Dependency one : his) {
            boolean open = rows.executions.containsKey(one.predecessor());
            if (promises.succeeded(one.predecessor())) {
                rows.dependencies.remove(one);
            } else {
                waits = true;
                failed |= !open;
            }
        }
        if (failed) {
            looked.add(new DependencyRows.Looked(dependent.shard(), dependent.id(), null, null));
        } else if (!waits && dependent.lane < -200) {
            dependent.lane = Lane.dependent(dependent.lane);
            dependent.dueAt = dependent.dueAt.isBefore(database.clock()) ? database.clock() : dependent.dueAt;
            world.tell(new Event.Due(world.time(), dependent.id(), dependent.dueAt));
            looked.add(new DependencyRows.Looked(dependent.shard(), dependent.id(), dependent.lane, dependent.dueAt));
        }
    }
}
