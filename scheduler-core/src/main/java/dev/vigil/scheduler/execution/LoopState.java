package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.OwnerReads.ShardRow;
import dev.vigil.scheduler.execution.TaskFacts.WorkerNeed;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What the parts of one loop share: its shards, its connections, and what it knows of the outside.
///
/// Not for use by several threads.
final class LoopState {
    private static final Logger LOG = LoggerFactory.getLogger(LoopState.class);

    final Core core;
    final Truth truth;
    final Closer closer;
    final OpenIndex.Part index;
    final Map<Integer, OwnedShard> shards = new HashMap<>();
    /// Keys that no worker has room for at the moment.
    final Set<WorkerNeed> blocked = new HashSet<>();
    /// What its shards hold of limits.
    final Permits permits = new Permits(this);
    /// What it may start of them.
    final Rates rates = new Rates(this);
    private KnownLimits limits = KnownLimits.UNREAD;

    LoopState(Core core, Truth truth, Closer closer, OpenIndex.Part index) {
        this.core = core;
        this.truth = truth;
        this.closer = closer;
        this.index = index;
    }

    /// What all loops of a core share.
    ///
    /// @param incarnation this core
    /// @param time        monotonic nanoseconds
    /// @param cluster     which PostgreSQL it may act on
    /// @param clock       the database's time
    /// @param chance      spreads retries
    /// @param shortages   for what no worker is found
    record Core(
            UUID incarnation,
            LongSupplier time,
            Tenure tenure,
            ClusterGuard cluster,
            DbClock clock,
            Link link,
            WorkersSeen workers,
            RandomGenerator chance,
            Shortages shortages) {
        boolean mayAct() {
            return tenure.mayAct(nanos());
        }

        long nanos() {
            return time.getAsLong();
        }
    }

    /// The fence of statements about these shards.
    Owned owned(Collection<Integer> ids) {
        List<Owned.Shard> identities = ids.stream()
                .distinct()
                .filter(shards::containsKey)
                .map(id -> shard(id).identity())
                .toList();
        return new Owned(core.incarnation, identities);
    }

    Owned ownedAll() {
        return owned(List.copyOf(shards.keySet()));
    }

    boolean hasCommands() {
        return shards.values().stream().anyMatch(OwnedShard::hasCommands);
    }

    OwnedShard shard(int id) {
        OwnedShard shard = shards.get(id);
        if (shard == null) {
            throw new IllegalStateException("shard " + id + " is not owned here");
        }
        return shard;
    }

    boolean owns(int id) {
        return shards.containsKey(id);
    }

    void add(Open open, long line) {
        shard(open.due.shard()).add(open, line);
        index.put(open);
        permits.take(open.due);
    }

    /// What was told of these may be read after the truth was read anew, which knows them by other objects.
    List<Open> current(List<Open> told) {
        return told.stream()
                .flatMap(
                        open -> Optional.ofNullable(index.find(open.id()))
                                .filter(now -> now.isHeldBy(open.worker, open.workerFence))
                                .stream())
                .toList();
    }

    /// Keys of a shard that cannot be dispatched now.
    Set<WorkerNeed> blocked(OwnedShard shard) {
        if (shard.starved.isEmpty()) {
            return blocked;
        }
        var both = new HashSet<>(blocked);
        both.addAll(shard.starved);
        return both;
    }

    /// When something is to be done next.
    ///
    /// @param sent when something is to be sent next; null when nothing is
    /// @return null when nothing is to be done
    @Nullable Instant nextWake(@Nullable Instant sent) {
        Instant asked = rates.nextAsk();
        Instant next = asked == null ? sent : Lanes.earlier(sent, asked);
        for (OwnedShard shard : shards.values()) {
            Instant due = shard.isLeaving() ? null : shard.lanes.nextWake(blocked(shard));
            next = due == null ? next : Lanes.earlier(next, due);
            next = shard.lookAt == null ? next : Lanes.earlier(next, shard.lookAt);
        }
        return next;
    }

    void forget(Open open) {
        OwnedShard shard = shards.get(open.due.shard());
        if (shard != null && shard.remove(open)) {
            permits.giveBack(open.due);
        }
        index.remove(open);
    }

    /// Limits of namespaces and handlers, at most a second old while something is dispatched.
    KnownLimits limits() {
        return limits;
    }

    void learn(KnownLimits fresh) {
        limits = fresh;
        rates.forget();
    }

    /// Nobody has room for executions of a key.
    void missed(WorkerNeed key, Instant now) {
        blocked.add(key);
        core.shortages.missed(key, core.link.lack(key.namespace(), key.handler()), now);
    }

    /// Lets a shard go that is somebody else's by now. What ran there is its new owner's.
    void lose(int id) {
        OwnedShard shard = shards.remove(id);
        if (shard != null) {
            shard.open.values().forEach(index::remove);
            permits.lose(id);
            LOG.info("event=shard_lost shard={} epoch={} open={}", id, shard.epoch, shard.open.size());
        }
    }

    /// Gives shards to whoever comes. Before the statement leaves, workers are no longer told that what is open in
    /// them is this core's: if the database fails meanwhile, nothing runs on by the word of a core that may have
    /// given it away.
    void release(Collection<Integer> ids) {
        List<Integer> mine = ids.stream().filter(this::owns).toList();
        mine.forEach(id -> shard(id).open.values().forEach(index::remove));
        List<Integer> orphaned =
                mine.stream().filter(id -> shard(id).isOrphaned(core.nanos())).toList();
        truth.release(owned(mine), orphaned);
        mine.forEach(this::lose);
    }

    /// Forgets all shards, which are about to be read anew. Workers are still told what was open in them, or a database
    /// that fails again while they are read would have it killed.
    void setAside() {
        List.copyOf(shards.keySet()).forEach(permits::lose);
        shards.clear();
    }

    /// What was set aside has been read anew: nothing else is open here.
    void hasReadAnew() {
        index.retain(open -> {
            OwnedShard shard = shards.get(open.due.shard());
            return shard != null && shard.open.get(open.id()) == open;
        });
    }

    /// A statement did not pass in these shards: either they are lost, or there are commands to carry out first.
    void examine(Collection<Integer> ids) {
        if (ids.isEmpty()) {
            return;
        }
        for (ShardRow row : truth.shards(ids)) {
            OwnedShard shard = shards.get(row.id());
            if (shard == null) {
                continue;
            }
            if (core.incarnation.equals(row.owner()) && row.epoch() == shard.epoch) {
                shard.announced = Math.max(shard.announced, row.changeSeq());
            } else {
                lose(row.id());
            }
        }
    }

    /// Those of the shards that a statement was about and did not pass.
    List<Integer> missing(Owned owned, Set<Integer> passed) {
        var missing = new ArrayList<Integer>();
        for (Owned.Shard shard : owned.shards()) {
            if (!passed.contains(shard.id())) {
                missing.add(shard.id());
            }
        }
        return missing;
    }
}
