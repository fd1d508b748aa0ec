package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.Attempts.Next;
import dev.vigil.scheduler.execution.EndingRows.Ending;
import dev.vigil.scheduler.execution.EndingRows.Reached;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.Link.Settled;
import dev.vigil.scheduler.execution.Open.Phase;
import dev.vigil.scheduler.execution.Over.Reported;
import dev.vigil.scheduler.execution.OwnerReads.Fate;
import dev.vigil.scheduler.execution.OwnerWrites.Requeued;
import dev.vigil.scheduler.task.NearbyOwners;
import dev.vigil.scheduler.task.Poison;
import dev.vigil.scheduler.task.ShardHints.ShardHint;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.NestedExceptionUtils;

/// Ends attempts: what waits is closed or put back in batches as large as what waits, and only then are the
/// workers told that their results are safe. What was dispatched and is over is stored beside the loop, one batch after
/// the other; anything else in the loop's turn, since it would be read as due meanwhile.
///
/// Not for use by several threads.
final class Endings {
    /// Most executions of a statement.
    static final int BATCH_MAX = 500;

    /// Longest wait of an execution that workers decline, in milliseconds.
    private static final long DECLINE_WAIT_MAX = 10_000;

    /// Most reports that wait for their execution's owner to be known.
    private static final int UNDECIDED_MAX = 10_000;

    private static final Logger LOG = LoggerFactory.getLogger(Endings.class);

    private final LoopState state;
    private final Runnable stored;
    private final List<Over> over = new ArrayList<>();
    /// What waits to be stored beside the loop, and what is being stored there.
    private final List<Over> beside = new ArrayList<>();
    private @Nullable Sent sent;
    private final List<Over> aside = new ArrayList<>();
    private final List<Reported> unclaimed = new ArrayList<>();
    private final List<Reported> undecided = new ArrayList<>();

    /// @param stored runs in any thread when there is something to take
    Endings(LoopState state, Runnable stored) {
        this.state = state;
        this.stored = stored;
    }

    private record Sent(Owned owned, List<Over> batch) {}

    boolean isEmpty() {
        return over.isEmpty() && unclaimed.isEmpty();
    }

    /// A worker reported the end of an attempt.
    void reported(WorkerBoot worker, AttemptEnd end) {
        var report = new Reported(worker, end);
        Open open = state.index.find(end.running().execution());
        if (open == null || !open.isHeldBy(worker, end.running().fence())) {
            unclaimed.add(report);
        } else if (open.phase != Phase.ENDING) {
            open.workerFence = end.running().fence();
            var tries = new Attempts.Tries(
                    open.attempt, open.due.losses(), open.due.task().retry());
            boolean cancelled = open.cancelled || state.shard(open.due.shard()).isDoomed(open.due);
            Next next = Attempts.ended(end, tries, cancelled, state.core.chance());
            if (open.replaced && next instanceof Next.Ends(State ended, String _) && ended == State.CANCELLED) {
                next = new Next.Ends(State.CANCELLED, "replaced");
            }
            end(open, next, end.code() == null ? label(end.outcome().name()) : end.code(), report);
        }
    }

    /// A worker is gone with what it ran.
    void lost(Open open) {
        var tries = new Attempts.Tries(
                open.attempt, open.due.losses(), open.due.task().retry());
        end(open, Attempts.lost(tries), "worker_lost", null);
    }

    /// A dispatch that never ran.
    void neverRan(Open open, String code) {
        end(open, Attempts.neverRan(), code, null);
    }

    /// A worker would not have it. The next try waits a little longer each time, so that it does not go to and
    /// fro; a payload that cannot be opened, or names what is gone, will not do next time.
    void declined(Open open, String code) {
        if (code.equals("payload_broken") || code.equals("reference_unresolved")) {
            end(open, new Next.Ends(State.FAILED, code), code, null);
            return;
        }
        int before = state.shard(open.due.shard()).declines.merge(open.id(), 1, Integer::sum) - 1;
        Duration wait = Duration.ofMillis(Math.min(DECLINE_WAIT_MAX, 50L << Math.min(before, 16)));
        end(open, new Next.Again(wait, 0, 0), code, null);
    }

    /// An attempt ends by the owner's own decision.
    void ended(Open open, Next next, String code) {
        end(open, next, code, null);
    }

    /// An execution that is not dispatched is cancelled.
    ///
    /// @param code why; null when somebody asked for it
    private void cancelled(Due due, @Nullable String code) {
        over.add(new Over(due, null, new Next.Ends(State.CANCELLED, code), "cancelled", null));
    }

    /// Ends executions: what is on a worker is told to stop, the rest ends at once.
    ///
    /// @param replaced whether a later one takes their place; otherwise somebody asked for it
    void stop(OwnedShard shard, Collection<UUID> executions, boolean replaced) {
        var queued = new ArrayList<UUID>();
        for (UUID id : executions) {
            shard.lanes.remove(id);
            Open open = shard.open.get(id);
            if (open == null) {
                queued.add(id);
            } else {
                open.cancelled = true;
                open.replaced = replaced;
                switch (open.phase) {
                    case COMMITTED -> neverRan(open, "cancelled");
                    case SENT, INHERITED, UNHEARD -> state.core.link().cancel(open.worker, List.of(open.running()));
                    case ENDING -> {
                        // Its attempt is over: if another was to follow, none does.
                    }
                }
            }
        }
        if (!queued.isEmpty()) {
            state.truth.byId(shard.id, queued).forEach(due -> cancelled(due, replaced ? "replaced" : null));
        }
    }

    /// An execution that is not dispatched is passed over.
    ///
    /// @param code why
    void skipped(Due due, String code) {
        over.add(new Over(due, null, new Next.Ends(State.SKIPPED, code), code, null));
    }

    private void end(Open open, Next next, String code, @Nullable Reported report) {
        if (open.phase == Phase.ENDING) {
            return;
        }
        open.enter(Phase.ENDING, state.core.nanos());
        over.add(new Over(open.due, open, next, code, report));
    }

    /// What somebody asked to end is not tried again, however late that was asked.
    private Over decided(Over item) {
        Open open = item.open();
        if (open == null || !(item.next() instanceof Next.Again)) {
            return item;
        }
        boolean asked = open.cancelled || state.shard(open.due.shard()).isDoomed(open.due);
        var ends = new Next.Ends(State.CANCELLED, open.replaced ? "replaced" : null);
        return asked ? new Over(item.due(), open, ends, item.code(), item.report()) : item;
    }

    /// Stores what waits, or begins to. Throws when the database fails; then [#setAside], the reading of the truth and
    /// [#takeUp] start over.
    void flush() {
        sort();
        storeInTurn();
        if (sent == null && !beside.isEmpty()) {
            begin();
        }
        if (!unclaimed.isEmpty()) {
            settleUnclaimed();
        }
    }

    /// As [#flush], and returns when all is stored.
    void flushAll() {
        await();
        sort();
        over.addAll(beside);
        beside.clear();
        storeInTurn();
        if (!unclaimed.isEmpty()) {
            settleUnclaimed();
        }
    }

    /// What somebody asked to end may have been about to be tried again, and ends now.
    private void sort() {
        over.removeIf(item -> !state.owns(item.due().shard()));
        over.replaceAll(this::decided);
        over.stream().filter(Over::isStoredBeside).forEach(beside::add);
        over.removeIf(Over::isStoredBeside);
    }

    private void storeInTurn() {
        while (!over.isEmpty()) {
            List<Over> batch = over.subList(0, Math.min(over.size(), BATCH_MAX));
            close(batch.stream()
                    .filter(item -> item.next() instanceof Next.Ends)
                    .toList());
            requeue(batch.stream()
                    .filter(item -> item.next() instanceof Next.Again)
                    .toList());
            batch.clear();
        }
    }

    private void begin() {
        beside.removeIf(item -> !state.owns(item.due().shard()));
        List<Over> first = beside.subList(0, Math.min(beside.size(), BATCH_MAX));
        List<Over> batch = List.copyOf(first);
        if (!batch.isEmpty()) {
            Owned owned = state.owned(shards(batch));
            state.closer.begin(owned, endings(batch), stored);
            sent = new Sent(owned, batch);
            first.clear();
        }
    }

    /// Takes what has been stored beside the loop.
    void take() {
        if (sent != null && state.closer.isOver()) {
            await();
        }
    }

    /// Waits for what is being stored beside the loop: whatever else writes rows of executions would have it miss
    /// them.
    void await() {
        Sent begun = sent;
        if (begun == null) {
            return;
        }
        Reached reached;
        try {
            reached = state.closer.await();
        } catch (RuntimeException failure) {
            if (!Poison.isPossible(failure)) {
                throw failure;
            }
            closeInParts(begun.batch, failure);
            sent = null;
            return;
        }
        settle(begun.owned, begun.batch, reached);
        sent = null;
    }

    /// After a failure: what was to be stored waits until the truth has been read. What was being stored is over then,
    /// one way or the other.
    void setAside() {
        aside.addAll(over);
        over.clear();
        aside.addAll(beside);
        beside.clear();
        Sent last = sent;
        if (last != null) {
            aside.addAll(last.batch);
            sent = null;
            try {
                state.closer.await();
            } catch (RuntimeException failure) {
                LOG.debug("event=ends_unknown count={} reason={}", last.batch.size(), failure.toString());
            }
        }
        state.closer.renew();
    }

    /// Once the truth has been read: what is still open ends as it was to end, by its worker's report or by the owner's
    /// decision. The rest was stored by a statement whose answer was lost, or follows from a command again.
    void takeUp() {
        List<Over> again = List.copyOf(aside);
        aside.clear();
        for (Over item : again) {
            Open open = state.index.find(item.due().id());
            if (item.report() != null) {
                reported(item.report().worker(), item.report().end());
            } else if (open != null && item.open() != null && open.worker.equals(item.open().worker)) {
                end(open, item.next(), item.code(), null);
            }
        }
    }

    private void close(List<Over> batch) {
        if (batch.isEmpty()) {
            return;
        }
        Owned owned = state.owned(shards(batch));
        Reached reached;
        try {
            reached = state.truth.close(owned, endings(batch));
        } catch (RuntimeException failure) {
            if (!Poison.isPossible(failure) || batch.getFirst().isUnstorable()) {
                throw failure;
            }
            closeInParts(batch, failure);
            return;
        }
        settle(owned, batch, reached);
    }

    private List<Ending> endings(List<Over> batch) {
        Instant now = state.core.clock().now();
        return batch.stream().map(item -> item.ending(now)).toList();
    }

    private void settle(Owned owned, List<Over> batch, Reached reached) {
        state.examine(state.missing(owned, reached.shards()));
        NearbyOwners.tell(reached.dependents().stream().map(ShardHint::command).toList());
        settle(batch, reached.ids());
    }

    /// One end that the database will not have does not keep its neighbours: it is found by halves, and stored as a
    /// failure without what its worker sent.
    private void closeInParts(List<Over> batch, RuntimeException failure) {
        if (batch.size() > 1) {
            close(batch.subList(0, batch.size() / 2));
            close(batch.subList(batch.size() / 2, batch.size()));
            return;
        }
        Over item = batch.getFirst();
        LOG.warn(
                "event=result_unstorable execution={} reason={}",
                item.due().id(),
                NestedExceptionUtils.getMostSpecificCause(failure).toString());
        close(List.of(item.unstorable()));
    }

    private void requeue(List<Over> batch) {
        if (batch.isEmpty()) {
            return;
        }
        Instant now = state.core.clock().now();
        Owned owned = state.owned(shards(batch));
        List<Requeued> requeued = state.truth.requeue(
                owned, batch.stream().map(item -> item.requeue(now)).toList());
        var passed = new HashSet<Integer>();
        var ids = new HashSet<UUID>();
        for (Requeued row : requeued) {
            passed.add(row.shard());
            if (row.id() != null && row.dueAt() != null) {
                ids.add(row.id());
                OwnedShard shard = state.shards.get(row.shard());
                if (shard != null) {
                    shard.lanes.rewind(row.lane(), row.dueAt());
                }
            }
        }
        state.examine(state.missing(owned, passed));
        settle(batch, ids);
    }

    /// Tells workers what became of their results. What a passed statement did not find was ended by an earlier
    /// one whose answer was lost, or is not ours to end.
    private void settle(List<Over> batch, Collection<UUID> reached) {
        var settled = new HashMap<WorkerBoot, List<Settled>>();
        for (Over item : batch) {
            boolean kept = state.owns(item.due().shard());
            if (item.open() != null) {
                state.forget(item.open());
            }
            if (kept) {
                OwnedShard shard = state.shard(item.due().shard());
                shard.ended(item.due().task().id());
                if (item.next() instanceof Next.Ends) {
                    shard.declines.remove(item.due().id());
                }
            }
            if (item.report() == null || !kept) {
                continue;
            }
            if (reached.contains(item.due().id())) {
                add(settled, item.report(), true);
            } else {
                unclaimed.add(item.report());
            }
        }
        tell(settled);
    }

    private void settleUnclaimed() {
        List<UUID> ids = unclaimed.stream()
                .map(report -> report.end().running().execution())
                .distinct()
                .toList();
        var fates = new HashMap<UUID, Fate>();
        state.truth.fates(ids).forEach(fate -> fates.put(fate.id(), fate));
        var settled = new HashMap<WorkerBoot, List<Settled>>();
        for (Reported report : unclaimed) {
            Fate fate = fates.get(report.end().running().execution());
            long fence = report.end().running().fence();
            if (fate == null || fate.ended()) {
                add(settled, report, fate != null && fate.fence() == fence);
            } else if (fence < fate.fence()) {
                add(settled, report, false);
            } else if (undecided.size() < UNDECIDED_MAX) {
                // It is open under another owner, who settles it, or in a shard that is just being adopted.
                undecided.add(report);
            }
        }
        unclaimed.clear();
        tell(settled);
    }

    /// Looks once more for the executions of reports that were early. Each is tried once: a worker reports
    /// again what nobody settled.
    void retryUndecided() {
        List<Reported> again = List.copyOf(undecided);
        undecided.clear();
        again.stream()
                .filter(report -> state.index.find(report.end().running().execution()) != null)
                .forEach(report -> reported(report.worker(), report.end()));
    }

    private static void add(Map<WorkerBoot, List<Settled>> settled, Reported report, boolean committed) {
        Link.Running running = report.end().running();
        settled.computeIfAbsent(report.worker(), worker -> new ArrayList<>())
                .add(new Settled(running.execution(), running.fence(), committed));
    }

    private void tell(Map<WorkerBoot, List<Settled>> settled) {
        settled.forEach(state.core.link()::settle);
    }

    private static List<Integer> shards(List<Over> batch) {
        return batch.stream().map(item -> item.due().shard()).distinct().toList();
    }

    private static String label(String name) {
        return name.toLowerCase(java.util.Locale.ROOT);
    }
}
