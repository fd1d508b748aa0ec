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

/// PostgreSQL as the owner of shards sees it: what a loop reads there, and the statements by which it changes it. The
/// statements stand where they are documented, in the classes named after their tables; this is the whole of what the
/// engine's decisions may ask. So the same decisions run on PostgreSQL and on the simulator's model of it.
///
/// A method throws when the database fails. Whether a statement that threw has committed is then unknown, until
/// [#close] and a read; nothing of it commits after that.
///
/// Used by one thread.
interface Truth extends AutoCloseable {
    /// Gives up what may still be at work: after a failure, and at the end. A later use begins anew.
    @Override
    void close();

    // What the owner reads. Nothing of it takes a lock.

    /// The time.
    Instant clock();

    /// Which transactions are over now.
    Snapshot snapshot();

    /// The last number used in an epoch of a shard.
    long lastN(int shard, long epoch);

    /// What is dispatched in these shards and not over.
    List<OwnerReads.Dispatched> open(List<Integer> shards);

    /// Lanes that hold something.
    List<OwnerReads.LaneStart> lanes(List<Integer> shards);

    /// The next due executions of each lane, and the first one beyond the bound.
    List<Due> scan(List<OwnerReads.Cursor> cursors, Instant bound);

    /// Executions by their ids.
    List<Due> byId(int shard, Collection<UUID> ids);

    /// Commands that are not carried out.
    List<OwnerReads.InboxRow> commands(Collection<Integer> shards);

    /// News since a moment: of creation, and of dependents to look at.
    List<OwnerReads.InboxRow> news(List<OwnerReads.NewsFrom> from);

    /// What became of executions.
    List<OwnerReads.Fate> fates(Collection<UUID> ids);

    /// Who owns shards by now.
    List<OwnerReads.ShardRow> shards(Collection<Integer> shards);

    /// Sealed payloads that lie apart.
    List<OwnerReads.Stored> payloads(List<TaskFacts> tasks);

    /// Tasks of which executions wait for the one before.
    List<SuccessionRows.Asked> waiting(Collection<Integer> shards);

    /// Schedules that fire up to the bound.
    List<ScheduleRows.Row> due(Collection<Integer> shards, Instant bound);

    /// When the first schedule of each shard fires after the bound.
    List<ScheduleRows.First> first(Collection<Integer> shards, Instant bound);

    /// Dependents that may have been overlooked.
    List<DependencyRows.Dependent> youngDependents(Collection<Integer> shards);

    /// Dependents that somebody asks to look at.
    List<DependencyRows.Dependent> askedDependents(Collection<Integer> shards);

    /// Permits that shards hold.
    List<PermitRows.Moved> permits(Collection<Integer> shards);

    /// How limits stand.
    Map<Limited, PermitRows.Standing> standings(Collection<Limited> keys);

    /// The limits of namespaces and handlers, if they have changed since this change.
    Optional<KnownLimits> sharedLimits(long known);

    /// The schedule of a task.
    List<Schedule> schedule(int shard, UUID task);

    /// What an execution finds of its own schedule.
    ScheduleRows.Siblings siblings(int shard, Due due);

    // What the owner changes. Each is one statement that begins with the fence of its shards, and changes all or
    // nothing in each of them.

    /// Commits dispatches in shards without a command that is not carried out, unless it is too late for them.
    Set<Integer> dispatch(Owned owned, List<OwnerWrites.Line> lines, @Nullable Instant by);

    /// Takes starts of a limited rate.
    Rates.Handed takeStarts(Limited key, int wish);

    /// Lists again what is open.
    Set<Integer> list(Owned owned, List<OwnerWrites.Line> lines);

    /// Ends executions.
    EndingRows.Reached close(Owned owned, List<EndingRows.Ending> endings);

    /// Puts executions back, and makes stale what was dispatched.
    List<OwnerWrites.Requeued> requeue(Owned owned, List<OwnerWrites.Requeue> requeues);

    /// Lets go what waited for the one before.
    List<SuccessionRows.Turn> let(Owned owned, List<SuccessionRows.Asked> asked);

    /// Moves schedules on from where they stood, and stores their occurrences.
    List<ScheduleRows.Fired> advance(
            Owned owned, List<ScheduleRows.Step> steps, List<ScheduleRows.Occurrence> occurrences);

    /// Lets dependents go whose predecessors have succeeded.
    List<DependencyRows.Looked> lookAt(Owned owned, Collection<UUID> dependents);

    /// Takes permits of one limit, beyond it for what runs already.
    PermitRows.Taken takePermits(Owned owned, List<PermitRows.Moved> moves, boolean beyond);

    /// Moves permits of one limit between shards: all of them or none.
    Set<Integer> movePermits(Owned owned, List<PermitRows.Moved> moves);

    /// Gives permits of one limit back.
    Set<Integer> givePermitsBack(Owned owned, List<PermitRows.Moved> moves);

    /// Gives shards up.
    void release(Owned owned, Collection<Integer> orphaned);

    /// Removes news of creation that has been read.
    void pruneNews(Owned owned, List<Upkeep.NewsRead> read);

    /// Stores audit events.
    void tell(Owned owned, int count, byte[] events);

    /// Publishes what no worker is found for.
    void publish(Shortages shortages, UUID incarnation, Instant now);

    // What commands change, fenced alike.

    /// Holds a task's executions.
    boolean hold(Owned owned, OwnerReads.InboxRow command);

    /// Lets them go again.
    List<CommandWrites.Released> resume(Owned owned, OwnerReads.InboxRow command, @Nullable Instant nextAt);

    /// Moves them to the task's newest version.
    List<CommandWrites.Released> renew(Owned owned, OwnerReads.InboxRow command, List<UUID> dispatched);

    /// Brings a task's one execution forward.
    List<CommandWrites.Released> bringForward(Owned owned, OwnerReads.InboxRow command, List<UUID> dispatched);

    /// Gives an execution that was asked for its place.
    List<CommandWrites.Released> admit(Owned owned, CommandWrites.Admission admission);

    /// Stops a task's schedule, and names what is open of it.
    List<UUID> stop(Owned owned, OwnerReads.InboxRow command);

    /// A command's effect is complete.
    boolean done(Owned owned, OwnerReads.InboxRow command);

    /// Removes a task.
    boolean remove(Owned owned, OwnerReads.InboxRow command);

    /// Makes what is over of a task nobody's.
    boolean anonymise(Owned owned, OwnerReads.InboxRow command);
}
