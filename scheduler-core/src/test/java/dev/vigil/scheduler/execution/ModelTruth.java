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

/// The truth in the model. Its clients pause, resume, cancel and change; they neither trigger, retry, delete nor erase
/// (CommandTest has those, on PostgreSQL), so an owner that carries one of these out has made it up, and its run fails.
record ModelTruth(ModelServer server, Wire wire) implements Truth {
    private static AssertionError unasked() {
        return new AssertionError("the owner carries out a command that nobody gave");
    }

    @Override
    public void close() {
        wire.close();
    }

    @Override
    public Instant clock() {
        return wire.ask(server.database::clock);
    }

    @Override
    public Snapshot snapshot() {
        return wire.ask(server.database::snapshot);
    }

    @Override
    public long lastN(int shard, long epoch) {
        return wire.ask(() -> server.database.lastN(shard, epoch));
    }

    @Override
    public List<OwnerReads.Dispatched> open(List<Integer> shards) {
        return wire.ask(() -> server.database.open(shards));
    }

    @Override
    public List<OwnerReads.LaneStart> lanes(List<Integer> shards) {
        return wire.ask(() -> server.database.lanes(shards));
    }

    @Override
    public List<Due> scan(List<OwnerReads.Cursor> cursors, Instant bound) {
        return wire.ask(() -> server.database.scan(cursors, bound));
    }

    @Override
    public List<Due> byId(int shard, Collection<UUID> ids) {
        return wire.ask(() -> server.database.byId(shard, ids));
    }

    @Override
    public List<OwnerReads.InboxRow> commands(Collection<Integer> shards) {
        return wire.ask(() -> server.database.commands.commands(shards));
    }

    @Override
    public List<OwnerReads.InboxRow> news(List<OwnerReads.NewsFrom> from) {
        return wire.ask(() -> server.database.news(from));
    }

    @Override
    public List<OwnerReads.Fate> fates(Collection<UUID> ids) {
        return wire.ask(() -> server.database.fates(ids));
    }

    @Override
    public List<OwnerReads.ShardRow> shards(Collection<Integer> shards) {
        return wire.ask(() -> server.database.shards(shards));
    }

    @Override
    public List<OwnerReads.Stored> payloads(List<TaskFacts> tasks) {
        return List.of();
    }

    @Override
    public List<SuccessionRows.Asked> waiting(Collection<Integer> shards) {
        return wire.ask(() -> server.schedules.waiting(shards));
    }

    @Override
    public List<ScheduleRows.Row> due(Collection<Integer> shards, Instant bound) {
        return wire.ask(() -> server.schedules.due(shards, bound));
    }

    @Override
    public List<ScheduleRows.First> first(Collection<Integer> shards, Instant bound) {
        return wire.ask(() -> server.schedules.first(shards, bound));
    }

    @Override
    public List<DependencyRows.Dependent> youngDependents(Collection<Integer> shards) {
        return wire.ask(() -> server.database.commands.young(shards));
    }

    @Override
    public List<DependencyRows.Dependent> askedDependents(Collection<Integer> shards) {
        return wire.ask(() -> server.database.commands.asked(shards));
    }

    @Override
    public List<PermitRows.Moved> permits(Collection<Integer> shards) {
        return wire.ask(() -> server.database.permits.held(shards));
    }

    @Override
    public Map<Limited, PermitRows.Standing> standings(Collection<Limited> keys) {
        return wire.ask(() -> server.database.permits.standings(keys));
    }

    @Override
    public Optional<KnownLimits> sharedLimits(long known) {
        return wire.ask(() -> server.database.sharedLimits(known));
    }

    @Override
    public List<Schedule> schedule(int shard, UUID task) {
        return wire.ask(() -> server.database.commands.schedule(shard, task));
    }

    @Override
    public ScheduleRows.Siblings siblings(int shard, Due due) {
        throw unasked();
    }

    @Override
    public Set<Integer> dispatch(Owned owned, List<OwnerWrites.Line> lines, @Nullable Instant by) {
        return wire.ask(() -> server.database.dispatch(owned, lines, by));
    }

    @Override
    public Rates.Handed takeStarts(Limited key, int wish) {
        return wire.ask(() -> server.database.starts.take(wish));
    }

    @Override
    public Set<Integer> list(Owned owned, List<OwnerWrites.Line> lines) {
        return wire.ask(() -> server.database.list(owned, lines));
    }

    @Override
    public EndingRows.Reached close(Owned owned, List<EndingRows.Ending> endings) {
        return wire.ask(() -> server.database.close(owned, endings));
    }

    @Override
    public List<OwnerWrites.Requeued> requeue(Owned owned, List<OwnerWrites.Requeue> requeues) {
        return wire.ask(() -> server.database.requeue(owned, requeues));
    }

    @Override
    public List<SuccessionRows.Turn> let(Owned owned, List<SuccessionRows.Asked> asked) {
        return wire.ask(() -> server.schedules.let(owned, asked));
    }

    @Override
    public List<ScheduleRows.Fired> advance(
            Owned owned, List<ScheduleRows.Step> steps, List<ScheduleRows.Occurrence> occurrences) {
        return wire.ask(() -> server.schedules.advance(owned, steps, occurrences));
    }

    @Override
    public List<DependencyRows.Looked> lookAt(Owned owned, Collection<UUID> dependents) {
        return wire.ask(() -> server.database.commands.lookAt(owned, dependents));
    }

    @Override
    public PermitRows.Taken takePermits(Owned owned, List<PermitRows.Moved> moves, boolean beyond) {
        return wire.ask(() -> server.database.permits.take(owned, moves, beyond));
    }

    @Override
    public Set<Integer> movePermits(Owned owned, List<PermitRows.Moved> moves) {
        return wire.ask(() -> server.database.permits.move(owned, moves));
    }

    @Override
    public Set<Integer> givePermitsBack(Owned owned, List<PermitRows.Moved> moves) {
        return wire.ask(() -> server.database.permits.giveBack(owned, moves));
    }

    @Override
    public void release(Owned owned, Collection<Integer> orphaned) {
        wire.ask(() -> {
            server.database.release(owned, orphaned);
            return true;
        });
    }

    @Override
    public void pruneNews(Owned owned, List<Upkeep.NewsRead> read) {
        wire.ask(() -> {
            server.database.pruneNews(owned, read);
            return true;
        });
    }

    @Override
    public void tell(Owned owned, int count, byte[] events) {
        wire.ask(() -> true);
    }

    @Override
    public void publish(Shortages shortages, UUID incarnation, Instant now) {
        wire.ask(() -> true);
    }

    @Override
    public boolean hold(Owned owned, OwnerReads.InboxRow command) {
        return wire.ask(() -> server.database.commands.hold(owned, command));
    }

    @Override
    public List<CommandWrites.Released> resume(Owned owned, OwnerReads.InboxRow command, @Nullable Instant nextAt) {
        return wire.ask(() -> server.database.commands.resume(owned, command, nextAt));
    }

    @Override
    public List<CommandWrites.Released> renew(Owned owned, OwnerReads.InboxRow command, List<UUID> dispatched) {
        return wire.ask(() -> server.database.commands.renew(owned, command, dispatched));
    }

    @Override
    public List<CommandWrites.Released> bringForward(Owned owned, OwnerReads.InboxRow command, List<UUID> dispatched) {
        throw unasked();
    }

    @Override
    public List<CommandWrites.Released> admit(Owned owned, CommandWrites.Admission admission) {
        throw unasked();
    }

    @Override
    public List<UUID> stop(Owned owned, OwnerReads.InboxRow command) {
        throw unasked();
    }

    @Override
    public boolean done(Owned owned, OwnerReads.InboxRow command) {
        return wire.ask(() -> server.database.commands.done(owned, command));
    }

    @Override
    public boolean remove(Owned owned, OwnerReads.InboxRow command) {
        throw unasked();
    }

    @Override
    public boolean anonymise(Owned owned, OwnerReads.InboxRow command) {
        throw unasked();
    }
}
