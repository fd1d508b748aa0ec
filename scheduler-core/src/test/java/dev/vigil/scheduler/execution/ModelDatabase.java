package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.EndingRows.Ending;
import dev.vigil.scheduler.execution.EndingRows.Reached;
import dev.vigil.scheduler.execution.KnownLimits.Shared;
import dev.vigil.scheduler.execution.ModelRows.Ended;
import dev.vigil.scheduler.execution.ModelRows.Execution;
import dev.vigil.scheduler.execution.ModelRows.Listed;
import dev.vigil.scheduler.execution.ModelRows.Shard;
import dev.vigil.scheduler.execution.OwnerReads.Cursor;
import dev.vigil.scheduler.execution.OwnerReads.Dispatched;
import dev.vigil.scheduler.execution.OwnerReads.Fate;
import dev.vigil.scheduler.execution.OwnerReads.InboxRow;
import dev.vigil.scheduler.execution.OwnerReads.LaneStart;
import dev.vigil.scheduler.execution.OwnerReads.NewsFrom;
import dev.vigil.scheduler.execution.OwnerReads.ShardRow;
import dev.vigil.scheduler.execution.OwnerWrites.Line;
import dev.vigil.scheduler.execution.OwnerWrites.Requeue;
import dev.vigil.scheduler.execution.OwnerWrites.Requeued;
import dev.vigil.scheduler.execution.Upkeep.NewsRead;
import dev.vigil.scheduler.history.Event;
import dev.vigil.scheduler.task.Commands.Kind;
import dev.vigil.scheduler.task.Lane;
import dev.vigil.scheduler.task.Limited;
import dev.vigil.scheduler.task.Priority;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The model of PostgreSQL: what each statement of the engine does to the rows, all at once. That the real statements
/// do the same is shown by the tests on PostgreSQL itself; this is only as good as they are.
///
/// What commits is told to the history.
class ModelDatabase {
    static final int LANE = Lane.of(Priority.MEDIUM, 1);
    static final String HANDLER = "h";

    final World world;
    final ModelRows rows = new ModelRows();
    final ModelStarts starts = new ModelStarts(this);
    final ModelPermits permits = new ModelPermits(this);
    final CommandPromises promises = new CommandPromises(rows);
    final ModelCommands commands;

    ModelDatabase(World world, int shards) {
        this.world = world;
        this.commands = new ModelCommands(this);
        for (int i = 0; i < shards; i++) {
            rows.shards.add(new Shard(i));
        }
    }

    Instant clock() {
        return world.time().plus(rows.ahead);
    }

    Set<Integer> passed(Owned owned) {
        var passed = new HashSet<Integer>();
        for (Owned.Shard claimed : owned.shards()) {
            Shard shard = rows.shards.get(claimed.id());
            if (owned.incarnation().equals(shard.owner) && claimed.epoch() == shard.epoch) {
                passed.add(claimed.id());
            }
        }
        return passed;
    }

    /// Those of them whose owner has carried out all that was commanded.
    Set<Integer> informed(Owned owned) {
        var informed = passed(owned);
        owned.shards().stream()
                .filter(claimed -> claimed.changeSeq() != rows.shards.get(claimed.id()).changeSeq)
                .forEach(claimed -> informed.remove(claimed.id()));
        return informed;
    }

    boolean isLimited(TaskFacts task) {
        return rows.limits.containsKey(Limited.owner(task.namespace(), task.owner()));
    }

    /// In whose limit a dispatch is told to count; the one that is shared by all, if there is one.
    private @Nullable String limitOf(TaskFacts task) {
        return rows.limits.keySet().stream()
                .filter(key -> key.kind() != Limited.Kind.OWNER)
                .findFirst()
                .map(key -> key.id().toString())
                .orElse(isLimited(task) ? task.owner().toString() : null);
    }

    /// All tasks of the model are of one namespace and one handler.
    Optional<KnownLimits> sharedLimits(long known) {
        if (known == 0) {
            return Optional.empty();
        }
        var namespaces = new HashMap<Integer, Limited>();
        var handlers = new HashMap<String, Limited>();
        rows.limits.keySet().forEach(key -> {
            switch (key.kind()) {
                case NAMESPACE -> namespaces.put(key.namespace(), key);
                case HANDLER -> handlers.put(HANDLER, key);
                case OWNER -> {
                    // Read beside each of his executions.
                }
            }
        });
        return Optional.of(new KnownLimits(0, new Shared(namespaces, handlers), starts.known(), Map.of()));
    }

    private Due row(Execution execution) {
        return execution.row(isLimited(execution.first.task()));
    }

    /// A client creates a one_time task.
    ///
    /// @param after tasks that it comes after
    /// @return the task of this key, new or not
    UUID create(String key, Placed task, Instant at, Collection<UUID> after) {
        UUID known = rows.keys.get(key);
        if (known != null) {
            return known;
        }
        UUID id = task.facts.id();
        rows.keys.put(key, id);
        rows.tasks.put(id, task.facts);
        Instant dueAt = at.isBefore(clock()) ? clock() : at;
        int lane = after.isEmpty() ? LANE : Lane.dependent(LANE);
        store(new Due(task.shard, id, lane, dueAt, dueAt, 0, 0, 0, task.facts, null, 1));
        if (after.isEmpty()) {
            created(task.shard, dueAt);
        } else {
            commands.depends(id, task.shard, after);
        }
        return id;
    }

    /// A task and where it lies.
    record Placed(int shard, TaskFacts facts) {}

    /// News of creation.
    void created(int shard, Instant dueAt) {
        rows.transaction++;
        rows.inbox.add(
                new InboxRow(shard, rows.transaction, rows.transaction, Kind.CREATED, 1L << LANE, dueAt, null, 1, 0));
    }

    void store(Due due) {
        if (rows.executions.putIfAbsent(due.id(), new Execution(due)) == null) {
            if (Lane.isDispatchable(due.lane())) {
                world.tell(new Event.Due(world.time(), due.id(), due.dueAt()));
            }
        }
    }

    List<Due> scan(List<Cursor> cursors, Instant bound) {
        var found = new ArrayList<Due>();
        for (Cursor cursor : cursors) {
            List<Due> lane = rows.executions.values().stream()
                    .filter(one -> one.shard() == cursor.shard() && one.lane == cursor.lane())
                    .map(this::row)
                    .filter(one -> one.dueAt().isAfter(cursor.at())
                            || (one.dueAt().equals(cursor.at()) && Due.compareIds(one.id(), cursor.id()) > 0))
                    .sorted(Due.ORDER)
                    .toList();
            lane.stream()
                    .filter(one -> !one.dueAt().isAfter(bound)
                            && cursor.reads(one.task().namespace()))
                    .forEach(found::add);
            lane.stream().filter(one -> one.dueAt().isAfter(bound)).findFirst().ifPresent(found::add);
        }
        return found;
    }

    List<Due> byId(int shard, Collection<UUID> ids) {
        return ids.stream()
                .map(rows.executions::get)
                .filter(one -> one != null && one.shard() == shard)
                .map(this::row)
                .toList();
    }

    /// Of each shard's newest epoch the lines from `low` on, and of these the newest of each execution.
    List<Dispatched> open(List<Integer> shards) {
        var open = new ArrayList<Dispatched>();
        for (int id : shards) {
            List<Listed> log = rows.shards.get(id).log;
            Listed newest =
                    log.stream().max(Comparator.comparingLong(Listed::fence)).orElse(null);
            if (newest == null) {
                continue;
            }
            var byExecution = new TreeMap<UUID, Listed>();
            log.stream()
                    .filter(one -> one.epoch() == newest.epoch()
                            && one.line().n() >= newest.line().low())
                    .forEach(one ->
                            byExecution.merge(one.line().execution(), one, (a, b) -> a.fence() > b.fence() ? a : b));
            byExecution.forEach((execution, listed) -> {
                Execution there = rows.executions.get(execution);
                if (there != null && there.fenceMin <= listed.fence()) {
                    open.add(new Dispatched(row(there), listed.line().worker(), listed.fence(), listed.at()));
                }
            });
        }
        return open;
    }

    List<LaneStart> lanes(List<Integer> shards) {
        var first = new TreeMap<Integer, Map<Integer, Instant>>();
        rows.executions.values().stream()
                .filter(one -> shards.contains(one.shard()) && Lane.isDispatchable(one.lane))
                .forEach(one -> first.computeIfAbsent(one.shard(), shard -> new TreeMap<>())
                        .merge(one.lane, one.dueAt, (a, b) -> a.isBefore(b) ? a : b));
        var starts = new ArrayList<LaneStart>();
        first.forEach((shard, lanes) -> lanes.forEach((lane, at) -> starts.add(new LaneStart(shard, lane, at))));
        return starts;
    }

    long lastN(int shard, long epoch) {
        return rows.shards.get(shard).log.stream()
                .filter(one -> one.epoch() == epoch)
                .mapToLong(one -> one.line().n())
                .max()
                .orElse(0);
    }

    /// Transactions are over at once.
    Snapshot snapshot() {
        return new Snapshot(rows.transaction + 1, Set.of());
    }

    List<InboxRow> news(List<NewsFrom> from) {
        return rows.inbox.stream()
                .filter(row -> row.changeSeq() == 0)
                .filter(row -> from.stream()
                        .anyMatch(news ->
                                news.shard() == row.shard() && !news.since().sees(row.xid())))
                .toList();
    }

    void pruneNews(Owned owned, List<NewsRead> read) {
        Set<Integer> passed = passed(owned);
        rows.inbox.removeIf(row -> row.kind() == Kind.CREATED
                && passed.contains(row.shard())
                && read.stream()
                        .anyMatch(news -> news.shard() == row.shard()
                                && news.read().sees(row.xid())
                                && !news.gone().sees(row.xid())));
    }

    List<Fate> fates(Collection<UUID> ids) {
        var fates = new ArrayList<Fate>();
        for (UUID id : ids) {
            Execution open = rows.executions.get(id);
            Long fence = endedBy.get(id);
            if (fence != null) {
                fates.add(new Fate(id, true, fence));
            } else if (open != null) {
                fates.add(new Fate(id, false, open.fenceMin));
            }
        }
        return fates;
    }

    private final Map<UUID, Long> endedBy = new HashMap<>();

    List<ShardRow> shards(Collection<Integer> ids) {
        return ids.stream()
                .map(rows.shards::get)
                .map(one -> new ShardRow(one.id, one.owner, one.epoch, one.changeSeq))
                .toList();
    }

    Set<Integer> dispatch(Owned owned, List<Line> lines, @Nullable Instant by) {
        if (by != null && !clock().isBefore(by)) {
            return Set.of();
        }
        Set<Integer> passed = informed(owned);
        list(passed, lines);
        for (Line line : lines) {
            Execution execution = rows.executions.get(line.execution());
            if (passed.contains(line.shard()) && execution != null) {
                promises.dispatched(execution);
                starts.at(clock());
                TaskFacts task = execution.first.task();
                world.tell(new Event.Dispatched(
                        world.time(),
                        task.id(),
                        line.execution(),
                        Fence.of(rows.shards.get(line.shard()).epoch, line.n()),
                        line.attempt(),
                        limitOf(task)));
            }
        }
        return passed;
    }

    Set<Integer> list(Owned owned, List<Line> lines) {
        Set<Integer> passed = passed(owned);
        list(passed, lines);
        return passed;
    }

    private void list(Set<Integer> passed, List<Line> lines) {
        for (Line line : lines) {
            if (passed.contains(line.shard())) {
                Shard shard = rows.shards.get(line.shard());
                shard.log.add(new Listed(shard.epoch, line, clock()));
            }
        }
    }

    Reached close(Owned owned, List<Ending> endings) {
        Set<Integer> passed = passed(owned);
        var ids = new HashSet<UUID>();
        var dependents = new HashSet<Integer>();
        for (Ending ending : endings) {
            UUID id = ending.due().id();
            Execution execution = rows.executions.get(id);
            if (passed.contains(ending.due().shard()) && execution != null && mayEnd(execution, ending.fence())) {
                ids.add(id);
                rows.executions.remove(id);
                endedBy.put(id, ending.fence());
                end(execution, ending);
                dependents.addAll(commands.asked(id));
            }
        }
        return new Reached(passed, ids, dependents);
    }

    /// Whether a fence is current.
    boolean mayEnd(Execution execution, long fence) {
        return execution.fenceMin <= fence;
    }

    private void end(Execution execution, Ending ending) {
        TaskFacts task = execution.first.task();
        rows.history.put(
                execution.id(), new Ended(task.id(), execution.first.scheduledFor(), ending.state(), ending.code()));
        boolean reported = ending.duration() != null;
        if (reported) {
            world.tell(new Event.Accepted(world.time(), execution.id(), ending.fence()));
        }
        world.tell(new Event.Ended(
                world.time(),
                task.id(),
                execution.id(),
                execution.first.scheduledFor(),
                ending.state().name().toLowerCase(Locale.ROOT),
                reported ? ending.fence() : null,
                ending.attempt(),
                task.retry().maxAttempts(),
                execution.losses + ("poison".equals(ending.code()) ? 1 : 0)));
    }

    List<Requeued> requeue(Owned owned, List<Requeue> requeues) {
        Set<Integer> passed = passed(owned);
        var answers = new ArrayList<Requeued>();
        passed.forEach(shard -> answers.add(new Requeued(shard, null, 0, null)));
        for (Requeue one : requeues) {
            Execution execution = rows.executions.get(one.due().id());
            if (!passed.contains(one.due().shard()) || execution == null || !mayEnd(execution, one.fence())) {
                continue;
            }
            putBack(execution, one);
            world.tell(new Event.Due(world.time(), execution.id(), execution.dueAt));
            if (one.attempts() > 0 && one.delay() != null) {
                world.tell(new Event.Accepted(world.time(), execution.id(), one.fence()));
                world.tell(new Event.Again(world.time(), execution.id(), execution.attempt, execution.dueAt));
            }
            answers.add(new Requeued(execution.shard(), execution.id(), execution.lane, execution.dueAt));
        }
        return answers;
    }

    /// Makes stale what was dispatched, and counts.
    void putBack(Execution execution, Requeue one) {
        execution.fenceMin = one.fence() + 1;
        execution.attempt += one.attempts();
        execution.losses += one.losses();
        Duration delay = one.delay();
        if (delay != null) {
            execution.dueAt = clock().plus(delay);
        }
    }

    void release(Owned owned, Collection<Integer> orphaned) {
        for (int id : passed(owned)) {
            Shard shard = rows.shards.get(id);
            shard.owner = null;
            shard.orphaned = orphaned.contains(id);
        }
    }

    @Nullable UUID owner(int shard) {
        return rows.shards.get(shard).owner;
    }
}
