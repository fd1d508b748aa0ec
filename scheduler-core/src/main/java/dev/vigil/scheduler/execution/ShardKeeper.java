package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.Adoption.Claim;
import dev.vigil.scheduler.execution.ShardRows.Beat;
import dev.vigil.scheduler.execution.ShardRows.Cluster;
import dev.vigil.scheduler.execution.ShardRows.Polled;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.NestedExceptionUtils;

/// Keeps this core alive in the eyes of the others, watches them, and sees to it that each shard has an owner
/// and each core its share. The beat has a thread and a connection of its own, so that nothing else delays it; what it
/// saw is looked at by another.
final class ShardKeeper implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ShardKeeper.class);
    private final LoopState.Core core;
    private final String sessionUrl;
    private final List<OwnerLoop> loops;
    private final Cores beatingCores;
    private final Cores watchedCores;
    private final BeatWatch beats = new BeatWatch();
    private final LastOwners lastOwners = new LastOwners(beats);
    /// Epoch of each shard that was given to a loop. Changed by the watching thread only.
    private final Map<Integer, Long> held = new ConcurrentHashMap<>();
    private final Pace pace = new Pace();
    private final BlockingQueue<Poll> polls = new LinkedBlockingQueue<>();
    private final Thread beating;
    private final Thread watching;
    private volatile boolean entered;
    /// The loops have been told of all news of those transactions that were over then; null when that is not known.
    /// Read and changed by the beating thread only.
    private @Nullable Snapshot told;
    /// What the watching thread was given last. Changed by the beating thread only.
    private @Nullable Poll given;
    /// Loops that still hold what others have taken.
    private final AtomicInteger mistaken = new AtomicInteger();
    /// What was given to loops is forgotten by them.
    private final AtomicBoolean forgotten = new AtomicBoolean();
    /// Cores alive and shards held, when shards were last shared.
    private int alive;
    private int shares;

    /// The two ways to the database.
    ///
    /// @param beating for the beat alone, so that nothing delays it
    /// @param watched for taking over and sharing
    record Ways(Cores beating, Cores watched) {}

    /// @param sessionUrl where workers open sessions with this core
    ShardKeeper(LoopState.Core core, String sessionUrl, List<OwnerLoop> loops, Ways ways) {
        this.core = core;
        this.sessionUrl = sessionUrl;
        this.loops = List.copyOf(loops);
        this.beatingCores = ways.beating;
        this.watchedCores = ways.watched;
        this.beating = Thread.ofPlatform().name("vigil-beat").daemon(true).unstarted(this::beatOnAndOn);
        this.watching = Thread.ofPlatform().name("vigil-watch").daemon(true).unstarted(this::watch);
    }

    void start() {
        beating.start();
        watching.start();
    }

    /// How many shards this core owns.
    int owned() {
        return held.size();
    }

    boolean owns(int shard) {
        return held.containsKey(shard);
    }

    private void beatOnAndOn() {
        try {
            do {
                beat();
            } while (pace.rest());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// Renews this core, and keeps what that saw to be looked at.
    void beat() {
        long sentAt = core.nanos();
        try {
            Optional<Beat> beat = entered ? renew() : Optional.empty();
            if (beat.isEmpty()) {
                // It is new, or others took it for dead: nothing it held is its own any more.
                core.tenure().end();
                if (entered) {
                    loseAll();
                }
                Beat first = beatingCores.enter(core.incarnation(), sessionUrl);
                entered = true;
                forgetTold();
                beat = renew().or(() -> Optional.of(first));
            }
            long receivedAt = core.nanos();
            recognise(beat.get().cluster());
            core.clock().read(beat.get().at(), sentAt, receivedAt);
            if (mistaken.get() == 0) {
                core.tenure().renewed(sentAt);
            }
            if (polls.isEmpty() && !beat.get().polled().isEmpty()) {
                Poll poll = new Poll(sentAt, core.nanos(), beat.get(), new AtomicBoolean());
                given = poll;
                polls.add(poll);
            }
        } catch (RuntimeException failure) {
            LOG.warn("event=beat_failed reason={} may_act={}", reason(failure), core.mayAct());
            forgetTold();
            beatingCores.close();
        }
    }

    /// Asks for the news that the loops have not been told of: what only a beat saw that came to nothing is among it.
    /// Of a shard that comes to this core later, its loop reads all that is there.
    private Optional<Beat> renew() {
        Poll last = given;
        if (last != null && last.told.get()) {
            told = last.beat.seen();
            given = null;
        }
        return beatingCores.beat(core.incarnation(), told);
    }

    /// What answers next may be a database that has crashed or failed over meanwhile, and that uses numbers again which
    /// transactions had before.
    private void forgetTold() {
        told = null;
        given = null;
    }

    /// Others took this core for dead. Before it is believed again, no worker may be told that it owns what it has
    /// lost.
    private void loseAll() {
        forgotten.set(true);
        for (OwnerLoop loop : loops) {
            mistaken.incrementAndGet();
            loop.loseAll(mistaken::decrementAndGet);
        }
        pace.hurry();
    }

    /// After a failover or a restore nobody acts on an epoch from before.
    private void recognise(Cluster current) {
        if (core.cluster().isOther(current)) {
            core.tenure().end();
            if (beatingCores.recognise(current)) {
                LOG.warn(
                        "event=cluster_changed system={} timeline={} epochs=+1024",
                        current.systemIdentifier(),
                        current.timeline());
            }
            core.cluster().recognised(current);
        }
    }

    /// What a beat saw, when it was sent and when its answer was there; without rows it ends the watch.
    ///
    /// @param told whether the loops have been told of it
    private record Poll(long sentAt, long answeredAt, Beat beat, AtomicBoolean told) {
        static final Poll END =
                new Poll(0, 0, new Beat(Instant.EPOCH, new Cluster("", ""), null, List.of()), new AtomicBoolean());

        List<Polled> rows() {
            return beat.polled();
        }
    }

    private void watch() {
        try {
            for (Poll poll = polls.take(); !poll.rows().isEmpty(); poll = polls.take()) {
                look(poll);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// Looks at what the last beat saw, if nobody has.
    void look() {
        Poll poll = polls.poll();
        if (poll != null) {
            look(poll);
        }
    }

    private void look(Poll poll) {
        if (!core.mayAct()) {
            return;
        }
        try {
            if (forgotten.compareAndSet(true, false)) {
                held.clear();
            }
            List<Polled> shards =
                    poll.rows().stream().filter(row -> row.shard() != null).toList();
            Map<UUID, Long> cores = others(poll.rows());
            Set<UUID> dead = beats.poll(poll.sentAt, poll.answeredAt, cores);
            lastOwners.poll(core.incarnation(), shards);
            dead.forEach(id -> takeOver(id, Objects.requireNonNull(cores.get(id))));
            reconcile(shards);
            poll.told.set(true);
            int alive = 1
                    + (int) cores.entrySet().stream()
                            .filter(core -> core.getValue() >= 0 && !dead.contains(core.getKey()))
                            .count();
            share(shards, alive);
        } catch (RuntimeException failure) {
            LOG.warn("event=watch_failed reason={}", reason(failure));
            watchedCores.close();
        }
    }

    /// The beats of the others. An owner without a core row is watched too, it may be about to enter again.
    private Map<UUID, Long> others(List<Polled> polled) {
        var cores = new HashMap<UUID, Long>();
        for (Polled row : polled) {
            UUID owner = row.owner();
            if (owner != null && !owner.equals(core.incarnation())) {
                if (row.shard() == null) {
                    cores.put(owner, row.number());
                } else {
                    cores.putIfAbsent(owner, -1L);
                }
            }
        }
        return cores;
    }

    private void takeOver(UUID dead, long beat) {
        watchedCores.endSessions(dead);
        int freed = watchedCores.bury(dead, beat);
        LOG.warn("event=core_taken_over core={} shards={}", dead, freed);
    }

    /// Tells the loops what the rows say: what came, what went, and which commands wait.
    private void reconcile(List<Polled> shards) {
        var adopted = new ArrayList<Claim>();
        for (Polled row : shards) {
            int id = Objects.requireNonNull(row.shard());
            boolean mine = core.incarnation().equals(row.owner());
            Long epoch = held.get(id);
            // What a beat saw before a shard was claimed tells nothing of it.
            if (epoch != null && (row.epoch() > epoch || (row.epoch() == epoch && !mine))) {
                held.remove(id);
                loop(id).lose(id, epoch);
                epoch = null;
            }
            if (mine && epoch == null) {
                adopted.add(new Claim(id, row.epoch(), row.number(), row.orphaned()));
            } else if (mine) {
                loop(id).announce(id, row.number(), row.news());
            }
        }
        give(adopted);
    }

    private void share(List<Polled> shards, int cores) {
        int wanted = FairShare.toTake(shards.size(), cores, held.size());
        if (wanted > 0) {
            give(watchedCores.claim(core.incarnation(), wanted));
        }
        if (cores != alive || held.size() != shares) {
            alive = cores;
            shares = held.size();
            pace.hurry();
        }
        int spare = FairShare.toRelease(shards.size(), cores, held.size());
        held.keySet().stream().sorted().limit(spare).toList().forEach(id -> loop(id).release(id));
    }

    private void give(List<Claim> claims) {
        if (claims.isEmpty()) {
            return;
        }
        var byLoop = new HashMap<OwnerLoop, List<Claim>>();
        var ids = new HashSet<Integer>();
        for (Claim seen : claims) {
            Claim claim = lastOwners.complete(seen);
            held.put(claim.shard(), claim.epoch());
            ids.add(claim.shard());
            byLoop.computeIfAbsent(loop(claim.shard()), loop -> new ArrayList<>())
                    .add(claim);
        }
        byLoop.forEach(OwnerLoop::adopt);
        LOG.info("event=shards_taken core={} shards={}", core.incarnation(), ids);
    }

    private OwnerLoop loop(int shard) {
        return loops.get(shard % loops.size());
    }

    /// Takes no more shards, so that the loops can release theirs.
    void stopWatching() {
        polls.add(Poll.END);
        join(watching);
        watchedCores.close();
    }

    /// Ends the renewals; call it after the loops have released their shards.
    @Override
    public void close() {
        pace.stop();
        join(beating);
        try {
            if (entered) {
                beatingCores.leave(core.incarnation());
            }
        } catch (RuntimeException failure) {
            LOG.warn("event=core_not_left reason={} next=others_notice_after_{}", reason(failure), BeatWatch.PATIENCE);
        } finally {
            core.tenure().end();
            beatingCores.close();
        }
    }

    /// Stops as a crash would.
    void abandon() {
        polls.add(Poll.END);
        pace.stop();
        join(watching);
        join(beating);
        core.tenure().end();
        watchedCores.close();
        beatingCores.close();
    }

    private static String reason(RuntimeException failure) {
        return NestedExceptionUtils.getMostSpecificCause(failure).toString();
    }

    private static void join(Thread thread) {
        try {
            thread.join(Duration.ofSeconds(10));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
