package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.task.Limited;
import dev.vigil.scheduler.task.Schedule;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The truth in PostgreSQL, over one connection.
record Postgres(CoreConnection connection) implements Truth {
    @Override
    public void close() {
        connection.close();
    }

    @Override
    public Instant clock() {
        return OwnerReads.clock(connection.db());
    }

    @Override
    public Snapshot snapshot() {
        return OwnerReads.snapshot(connection.db());
    }

    @Override
    public long lastN(int shard, long epoch) {
        return OwnerReads.lastN(connection.db(), shard, epoch);
    }

    @Override
    public List<OwnerReads.Dispatched> open(List<Integer> shards) {
        return OwnerReads.open(connection.db(), shards);
    }

    @Override
    public List<OwnerReads.LaneStart> lanes(List<Integer> shards) {
        return OwnerReads.lanes(connection.db(), shards);
    }

    @Override
    public List<Due> scan(List<OwnerReads.Cursor> cursors, Instant bound) {
        return OwnerReads.scan(connection.db(), cursors, bound);
    }

    @Override
    public List<Due> byId(int shard, Collection<UUID> ids) {
        return OwnerReads.byId(connection.db(), shard, ids);
    }

    @Override
    public List<OwnerReads.InboxRow> commands(Collection<Integer> shards) {
        return OwnerReads.commands(connection.db(), shards);
    }

    @Override
    public List<OwnerReads.InboxRow> news(List<OwnerReads.NewsFrom> from) {
        return OwnerReads.news(connection.db(), from);
    }

    @Override
    public List<OwnerReads.Fate> fates(Collection<UUID> ids) {
        return OwnerReads.fates(connection.db(), ids);
    }

    @Override
    public List<OwnerReads.ShardRow> shards(Collection<Integer> shards) {
        return OwnerReads.shards(connection.db(), shards);
    }

    @Override
    public List<OwnerReads.Stored> payloads(List<TaskFacts> tasks) {
        return OwnerReads.payloads(connection.db(), tasks);
    }

    @Override
    public List<SuccessionRows.Asked> waiting(Collection<Integer> shards) {
        return SuccessionRows.waiting(connection.db(), shards);
    }

    @Override
    public List<ScheduleRows.Row> due(Collection<Integer> shards, Instant bound) {
        return ScheduleRows.due(connection.db(), shards, bound);
    }

    @Override
    public List<ScheduleRows.First> first(Collection<Integer> shards, Instant bound) {
        return ScheduleRows.first(connection.db(), shards, bound);
    }

    @Override
    public List<DependencyRows.Dependent> youngDependents(Collection<Integer> shards) {
        return DependencyRows.young(connection.db(), shards);
    }

    @Override
    public List<DependencyRows.Dependent> askedDependents(Collection<Integer> shards) {
        return DependencyRows.asked(connection.db(), shards);
    }

    @Override
    public List<PermitRows.Moved> permits(Collection<Integer> shards) {
        return PermitRows.held(connection.db(), shards);
    }

    @Override
    public Map<Limited, PermitRows.Standing> standings(Collection<Limited> keys) {
        return PermitRows.standings(connection.db(), keys);
    }

    @Override
    public Optional<KnownLimits> sharedLimits(long known) {
        return KnownLimits.read(connection.db(), known);
    }

    @Override
    public List<Schedule> schedule(int shard, UUID task) {
        return ScheduleRows.ofTask(connection.db(), shard, task);
    }

    @Override
    public ScheduleRows.Siblings siblings(int shard, Due due) {
        return ScheduleRows.siblings(connection.db(), shard, due);
    }

    @Override
    public Set<Integer> dispatch(Owned owned, List<OwnerWrites.Line> lines, @Nullable Instant by) {
        return OwnerWrites.dispatch(connection.db(), owned, lines, by);
    }

    @Override
    public Rates.Handed takeStarts(Limited key, int wish) {
        return Rates.take(connection.db(), key, wish);
    }

    @Override
    public Set<Integer> list(Owned owned, List<OwnerWrites.Line> lines) {
        return OwnerWrites.list(connection.db(), owned, lines);
    }

    @Override
    public EndingRows.Reached close(Owned owned, List<EndingRows.Ending> endings) {
        return EndingRows.close(connection.db(), owned, endings);
    }

    @Override
    public List<OwnerWrites.Requeued> requeue(Owned owned, List<OwnerWrites.Requeue> requeues) {
        return OwnerWrites.requeue(connection.db(), owned, requeues);
    }

    @Override
    public List<SuccessionRows.Turn> let(Owned owned, List<SuccessionRows.Asked> asked) {
        return SuccessionRows.let(connection.db(), owned, asked);
    }

    @Override
    public List<ScheduleRows.Fired> advance(
            Owned owned, List<ScheduleRows.Step> steps, List<ScheduleRows.Occurrence> occurrences) {
        return ScheduleRows.advance(connection.db(), owned, steps, occurrences);
    }

    @Override
    public List<DependencyRows.Looked> lookAt(Owned owned, Collection<UUID> dependents) {
        return DependencyRows.look(connection.db(), owned, dependents);
    }

    @Override
    public PermitRows.Taken takePermits(Owned owned, List<PermitRows.Moved> moves, boolean beyond) {
        return PermitRows.take(connection.db(), owned, moves, beyond);
    }

    @Override
    public Set<Integer> movePermits(Owned owned, List<PermitRows.Moved> moves) {
        return PermitRows.move(connection.db(), owned, moves);
    }

    @Override
    public Set<Integer> givePermitsBack(Owned owned, List<PermitRows.Moved> moves) {
        return PermitRows.giveBack(connection.db(), owned, moves);
    }

    @Override
    public void release(Owned owned, Collection<Integer> orphaned) {
        ShardRows.release(connection.db(), owned, orphaned);
    }

    @Override
    public void pruneNews(Owned owned, List<Upkeep.NewsRead> read) {
        Upkeep.pruneNews(connection.db(), owned, read);
    }

    @Override
    public void tell(Owned owned, int count, byte[] events) {
        Upkeep.tell(connection.db(), owned, count, events);
    }

    @Override
    public void publish(Shortages shortages, UUID incarnation, Instant now) {
        shortages.publish(connection.db(), incarnation, now);
    }

    @Override
    public boolean hold(Owned owned, OwnerReads.InboxRow command) {
        return CommandWrites.hold(connection.db(), owned, command);
    }

    @Override
    public List<CommandWrites.Released> resume(Owned owned, OwnerReads.InboxRow command, @Nullable Instant nextAt) {
        return CommandWrites.release(connection.db(), owned, command, nextAt);
    }

    @Override
    public List<CommandWrites.Released> renew(Owned owned, OwnerReads.InboxRow command, List<UUID> dispatched) {
        return CommandWrites.renew(connection.db(), owned, command, dispatched);
    }

    @Override
    public List<CommandWrites.Released> bringForward(Owned owned, OwnerReads.InboxRow command, List<UUID> dispatched) {
        return CommandWrites.bringForward(connection.db(), owned, command, dispatched);
    }

    @Override
    public List<CommandWrites.Released> admit(Owned owned, CommandWrites.Admission admission) {
        return CommandWrites.admit(connection.db(), owned, admission);
    }

    @Override
    public List<UUID> stop(Owned owned, OwnerReads.InboxRow command) {
        return CommandWrites.stop(connection.db(), owned, command);
    }

    @Override
    public boolean done(Owned owned, OwnerReads.InboxRow command) {
        return CommandWrites.done(connection.db(), owned, command);
    }

    @Override
    public boolean remove(Owned owned, OwnerReads.InboxRow command) {
        return CommandWrites.remove(connection.db(), owned, command);
    }

    @Override
    public boolean anonymise(Owned owned, OwnerReads.InboxRow command) {
        return CommandWrites.anonymise(connection.db(), owned, command);
    }
}
