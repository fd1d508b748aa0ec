package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.Open.Phase;
import dev.vigil.scheduler.execution.Orphans.Decision;
import dev.vigil.scheduler.execution.OwnerReads.Dispatched;
import dev.vigil.scheduler.execution.OwnerReads.LaneStart;
import dev.vigil.scheduler.execution.OwnerWrites.Line;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Takes shards over with what runs in them, and finds out what became of executions whose worker does not
/// answer.
///
/// Not for use by several threads.
final class Adoption {
    private static final Logger LOG = LoggerFactory.getLogger(Adoption.class);

    /// What has been open for so long is listed again, so that recovery never reads further back.
    static final Duration LIST_AGAIN = Duration.ofMinutes(10);

    /// A worker that does not list an execution this long after it was sent has lost it.
    static final Duration FORGOTTEN = Duration.ofSeconds(10);

    /// How much longer than its timeout an attempt may take until the owner itself stops it, and until it gives
    /// up on the worker's answer.
    static final Duration STOP_AFTER = Duration.ofSeconds(30);

    private final LoopState state;
    private final Endings endings;
    /// What was known of shards when the database failed, until the truth has been read.
    private final Map<Integer, OwnedShard> known = new HashMap<>();
    /// When the next dispatch is to be given up unless its worker is heard, monotonic; null when none is.
    private @Nullable Long decisionAt;

    Adoption(LoopState state, Endings endings) {
        this.state = state;
        this.endings = endings;
    }

    /// A shard that has come to this core.
    ///
    /// @param orphaned   its last owner vanished instead of releasing it
    /// @param vanishedAt when that owner was last seen to live, monotonic nanoseconds; null when nobody knows,
    ///                   or others may have owned it since
    record Claim(
            int shard,
            long epoch,
            long changeSeq,
            boolean orphaned,
            @Nullable Long vanishedAt) {
        Claim(int shard, long epoch, long changeSeq, boolean orphaned) {
            this(shard, epoch, changeSeq, orphaned, null);
        }
    }

    /// Of what came, what is not taken up. A shard may come back under a newer epoch before it was noticed that it had
    /// gone.
    List<Claim> fresh(List<Claim> claimed) {
        var newest = new HashMap<Integer, Claim>();
        claimed.forEach(claim -> newest.merge(claim.shard(), claim, (a, b) -> a.epoch() > b.epoch() ? a : b));
        newest.values().stream()
                .filter(claim -> state.owns(claim.shard()) && state.shard(claim.shard()).epoch < claim.epoch())
                .forEach(claim -> state.lose(claim.shard()));
        return newest.values().stream()
                .filter(claim -> !state.owns(claim.shard()))
                .toList();
    }

    /// Takes shards over: reads what is open in them and lists it under the new epoch before anything is
    /// dispatched, so that the newest epoch always lists all that is open.
    void adopt(List<Claim> claims) {
        List<Integer> ids = claims.stream().map(Claim::shard).toList();
        Snapshot now = state.truth.snapshot();
        for (Claim claim : claims) {
            var shard = new OwnedShard(claim.shard, claim.epoch, state.truth.lastN(claim.shard, claim.epoch));
            shard.announced = claim.changeSeq;
            shard.applied = -1;
            shard.newsFrom = now;
            shard.orphaned = claim.orphaned;
            shard.vanishedAt = claim.vanishedAt;
            state.shards.put(claim.shard, shard);
        }
        state.permits.adopt(ids);
        inherit(state.truth.open(ids));
        for (SuccessionRows.Asked asked : state.truth.waiting(ids)) {
            OwnedShard shard = state.shards.get(asked.shard());
            if (shard != null) {
                shard.waits(asked.task());
            }
        }
        for (LaneStart lane : state.truth.lanes(ids)) {
            OwnedShard shard = state.shards.get(lane.shard());
            if (shard != null) {
                shard.lanes.rewind(lane.lane(), lane.first());
            }
        }
    }

    /// Reads the truth anew after the database failed in the middle of something: the shards that are still its
    /// own are adopted again. What is known of their executions is kept for [#recall], for the database may fail
    /// again meanwhile.
    void reload() {
        state.shards.forEach(known::putIfAbsent);
        List<Claim> claims = state.truth.shards(known.keySet()).stream()
                .filter(row -> state.core.incarnation().equals(row.owner()) && row.epoch() == known(row.id()).epoch)
                .map(row -> new Claim(row.id(), row.epoch(), row.changeSeq(), known(row.id()).orphaned))
                .toList();
        state.setAside();
        adopt(claims);
        state.hasReadAnew();
        LOG.info("event=shards_reloaded count={} of={}", claims.size(), known.size());
    }

    /// Once all has been read: what is open is as far as it was. What this core committed and never sent goes back.
    void recall() {
        known.values().stream()
                .filter(before -> state.owns(before.id))
                .forEach(before ->
                        List.copyOf(state.shard(before.id).open.values()).forEach(open -> recall(open, before)));
        known.clear();
    }

    private OwnedShard known(int shard) {
        return Objects.requireNonNull(known.get(shard));
    }

    private void recall(Open open, OwnedShard before) {
        Open old = before.open.get(open.id());
        if (old != null && old.worker.equals(open.worker) && old.phase != Phase.COMMITTED) {
            open.startedAt = old.startedAt;
            open.startEvent = old.startEvent;
            open.workerFence = old.workerFence;
            open.word = old.word;
            open.enter(old.phase == Phase.ENDING ? Phase.SENT : old.phase, old.since);
        } else if ((old != null && old.phase == Phase.COMMITTED) || before.committing.contains(open.id())) {
            endings.neverRan(open, "not_sent");
        }
        // Anything else was inherited, and stays so: a listing whose answer was lost names it in this epoch.
    }

    private void inherit(List<Dispatched> rows) {
        var byWorker = new HashMap<String, List<Dispatched>>();
        rows.forEach(row -> byWorker.computeIfAbsent(row.due().shard() + " " + row.worker(), key -> new ArrayList<>())
                .add(row));
        var opens = new HashMap<UUID, Open>();
        var lines = new ArrayList<Line>();
        var first = new HashMap<Integer, Long>();
        for (List<Dispatched> group : byWorker.values()) {
            OwnedShard shard = state.shard(group.getFirst().due().shard());
            long n = shard.nextN();
            long low = first.computeIfAbsent(shard.id, id -> n);
            for (Dispatched row : group) {
                var open = new Open(row.due(), row.worker(), Fence.of(shard.epoch, n));
                open.workerFence = row.fence();
                open.listedAt = state.core.nanos();
                open.word = shard.word(open.listedAt);
                open.enter(Phase.INHERITED, state.core.nanos());
                opens.put(open.id(), open);
                lines.add(new Line(shard.id, n, low, row.worker(), open.id(), open.attempt, new byte[0]));
            }
        }
        if (lines.isEmpty()) {
            return;
        }
        Owned owned = state.ownedAll();
        Set<Integer> passed = state.truth.list(owned, lines);
        for (Line line : lines) {
            if (passed.contains(line.shard())) {
                state.add(Objects.requireNonNull(opens.get(line.execution())), line.n());
            }
        }
        state.examine(state.missing(owned, passed));
        LOG.info("event=executions_inherited count={} shards={}", lines.size(), passed.size());
    }

    /// How long until something is to be given up: it does not wait for the next look at everything.
    long nanosToDecision() {
        return decisionAt == null ? Long.MAX_VALUE : decisionAt - state.core.nanos();
    }

    /// Looks after everything open: once a second, and when something is to be given up.
    void watch() {
        long now = state.core.nanos();
        decisionAt = null;
        for (OwnedShard shard : List.copyOf(state.shards.values())) {
            for (Open open : List.copyOf(shard.open.values())) {
                switch (open.phase) {
                    case INHERITED, UNHEARD -> decide(open, now);
                    case SENT -> check(open, now);
                    case COMMITTED, ENDING -> {
                        // Nothing is on a worker yet, or no longer.
                    }
                }
            }
        }
        listAgain(now);
    }

    private void decide(Open open, long now) {
        long until = Orphans.until(open.phase == Phase.INHERITED, open.since, open.word);
        Duration left = Duration.ofNanos(until - now);
        Decision decision = Orphans.decide(state.core.workers().sight(open, open.since), left);
        switch (decision) {
            case KEEP -> {
                Long fence = state.core.workers().fence(open);
                if (fence != null && open.isHeldBy(open.worker, fence)) {
                    open.workerFence = fence;
                }
                open.enter(Phase.SENT, now);
            }
            case NEVER_RAN -> {
                if (open.phase == Phase.INHERITED) {
                    endings.neverRan(open, "not_received");
                } else {
                    endings.lost(open);
                }
            }
            case LOST -> endings.lost(open);
            case WAIT -> {
                // The worker may still come back with it.
                decisionAt = decisionAt == null || until - decisionAt < 0 ? until : decisionAt;
            }
        }
    }

    private void check(Open open, long now) {
        long ran = now - open.since;
        if (ran > FORGOTTEN.toNanos()
                && state.core.workers().sight(open, open.since + FORGOTTEN.toNanos())
                        == Orphans.Sight.HERE_WITHOUT_IT) {
            endings.lost(open);
            return;
        }
        long timeout = open.due.task().timeout().plus(STOP_AFTER).toNanos();
        if (ran > timeout + STOP_AFTER.toNanos()) {
            var end = new AttemptEnd(
                    open.running(),
                    AttemptEnd.Outcome.TIMED_OUT,
                    Duration.ofNanos(ran),
                    "timeout",
                    true,
                    null,
                    null,
                    false);
            var tries = new Attempts.Tries(
                    open.attempt, open.due.losses(), open.due.task().retry());
            endings.ended(open, Attempts.ended(end, tries, open.cancelled, state.core.chance()), "timeout");
        } else if (ran > timeout || open.cancelled) {
            state.core.link().cancel(open.worker, List.of(open.running()));
        }
    }

    private void listAgain(long now) {
        var lines = new ArrayList<Line>();
        var moved = new ArrayList<Open>();
        for (OwnedShard shard : state.shards.values()) {
            var numbers = new HashMap<WorkerBoot, Long>();
            for (Open open : shard.open.values()) {
                if (now - open.listedAt > LIST_AGAIN.toNanos() && open.phase != Phase.ENDING) {
                    long n = numbers.computeIfAbsent(open.worker, worker -> shard.nextN());
                    lines.add(new Line(shard.id, n, shard.low(n), open.worker, open.id(), open.attempt, new byte[0]));
                    moved.add(open);
                }
            }
        }
        if (lines.isEmpty()) {
            return;
        }
        Owned owned = state.ownedAll();
        Set<Integer> passed = state.truth.list(owned, lines);
        for (int i = 0; i < lines.size(); i++) {
            Line line = lines.get(i);
            if (passed.contains(line.shard())) {
                moved.get(i).listedAt = now;
                state.shard(line.shard()).moveTo(moved.get(i), line.n());
            }
        }
        state.examine(state.missing(owned, passed));
    }

    /// A worker fell silent. What was sent to it after that was noticed, because it is here again by now, is not
    /// concerned.
    ///
    /// @param noticedAt monotonic nanoseconds
    /// @param since     how long before it was heard last: its silence began then
    void workerSilent(WorkerBoot worker, long noticedAt, Duration since) {
        open(worker).forEach(open -> {
            if (open.phase == Phase.SENT && open.since - noticedAt <= 0) {
                open.enter(Phase.UNHEARD, noticedAt - since.toNanos());
            }
        });
    }

    /// A worker is here again. What it holds it has said; what an earlier life of it held is gone.
    void workerJoined(WorkerBoot worker) {
        long now = state.core.nanos();
        for (OwnedShard shard : state.shards.values()) {
            shard.open.values().stream()
                    .filter(open -> open.phase == Phase.SENT)
                    .filter(open -> open.worker.worker().equals(worker.worker()) && !open.worker.equals(worker))
                    .forEach(open -> open.enter(Phase.UNHEARD, now));
        }
        watch();
    }

    /// A worker said goodbye: it runs nothing.
    void workerLeft(WorkerBoot worker) {
        open(worker).forEach(open -> {
            if (open.phase != Phase.COMMITTED) {
                endings.neverRan(open, "worker_left");
            }
        });
    }

    private Collection<Open> open(WorkerBoot worker) {
        var found = new ArrayList<Open>();
        for (OwnedShard shard : state.shards.values()) {
            shard.open.values().stream()
                    .filter(open -> open.worker.equals(worker))
                    .forEach(found::add);
        }
        return found;
    }
}
