package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.Lanes.Page;
import dev.vigil.scheduler.execution.Link.Credits;
import dev.vigil.scheduler.execution.Open.Phase;
import dev.vigil.scheduler.execution.OwnerReads.Cursor;
import dev.vigil.scheduler.execution.OwnerWrites.Line;
import dev.vigil.scheduler.execution.TaskFacts.WorkerNeed;
import dev.vigil.scheduler.execution.Turns.Batch;
import dev.vigil.scheduler.execution.Turns.Offer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Reads what comes due, commits its dispatch and lets it go at its time. The dispatch row of an execution may
/// commit a moment ahead; its frame never leaves before it is due.
///
/// Not for use by several threads.
final class Dispatching {
    /// How long before its due time a dispatch is committed at the latest, unless it is created later.
    static final Duration LEAD = Duration.ofMillis(100);

    /// How far ahead of its due time a dispatch may commit: together with another one whose time has come, so that
    /// what falls due one by one does not commit one by one. Longer would hold workers' credits idle.
    static final Duration LEAD_MAX = Duration.ofMillis(200);

    /// Between two questions for the time.
    private static final Duration CLOCK = Duration.ofSeconds(1);

    /// Most executions of a dispatch statement, and of one worker in it.
    static final int BATCH_MAX = 500;

    /// Larger sealed payloads are fetched by the worker.
    static final int PAYLOAD_IN_FRAME_MAX = 16 * 1024 + 64;

    private final LoopState state;
    private final PriorityQueue<Ready> ready =
            new PriorityQueue<>(Comparator.comparing((Ready item) -> item.open.due, Due.ORDER));
    private final Turns turns;
    private long clockReadAt;

    Dispatching(LoopState state) {
        this.state = state;
        this.turns = new Turns(namespace -> state.limits().weight(namespace));
        this.clockReadAt = state.core.nanos() - CLOCK.toNanos();
    }

    /// A committed dispatch that waits for its time.
    private record Ready(Open open, Dispatch dispatch) {}

    /// An execution that has a worker and no dispatch row yet.
    private record Planned(Due due, WorkerBoot worker, long n, long fence) {}

    /// A row of a dispatch statement: what a worker is given of a shard at once.
    private record Row(int shard, WorkerBoot worker) {}

    /// Reads on in all lanes that may hold something due within the look-ahead.
    ///
    /// @return whether there may be more to read at once
    boolean read() {
        state.permits.wake();
        Instant now = state.core.clock().now();
        var cursors = new ArrayList<Cursor>();
        for (OwnedShard shard : state.shards.values()) {
            if (!shard.isLeaving()) {
                cursors.addAll(shard.lanes.toRead(now, state.blocked(shard)));
            }
        }
        if (cursors.isEmpty()) {
            return false;
        }
        Instant bound = now.plus(Lanes.READ_AHEAD);
        boolean more = false;
        for (Page page : pages(cursors, state.truth.scan(cursors, bound), bound)) {
            OwnedShard shard = state.shard(page.from().shard());
            shard.lanes.read(page, state.blocked(shard), shard.open::containsKey);
            more |= page.rows().size() >= OwnerReads.SCAN_MAX;
        }
        return more;
    }

    /// What was read, by whose cursor it is.
    private static List<Page> pages(List<Cursor> cursors, List<Due> rows, Instant bound) {
        var byLane = new HashMap<Long, List<Page>>();
        var pages = new ArrayList<Page>(cursors.size());
        for (Cursor cursor : cursors) {
            var page = new Page(cursor, new ArrayList<>(), bound);
            pages.add(page);
            byLane.computeIfAbsent(place(cursor.shard(), cursor.lane()), any -> new ArrayList<>(1))
                    .add(page);
        }
        for (Due row : rows) {
            for (Page page : byLane.getOrDefault(place(row.shard(), row.lane()), List.of())) {
                if (row.dueAt().isAfter(bound) || page.from().reads(row.task().namespace())) {
                    page.rows().add(row);
                }
            }
        }
        pages.forEach(page -> page.rows().sort(Due.ORDER));
        return pages;
    }

    private static long place(int shard, int lane) {
        return ((long) shard << 16) + lane;
    }

    /// Commits dispatches of what is due, as many as workers have room for.
    ///
    /// @return whether there may be more to dispatch at once
    boolean dispatch() {
        if (!state.core.mayAct()) {
            return false;
        }
        var credits = new LinkedHashMap<WorkerBoot, Integer>();
        List<Planned> planned = plan(credits);
        try {
            List<Planned> covered = covered(planned, credits);
            if (!covered.isEmpty()) {
                commit(covered);
            }
        } catch (RuntimeException failure) {
            // Whether it committed is read back before anything is sent; what committed is put back then.
            credits.forEach((worker, count) -> state.core.link().giveBack(new Credits(worker, count)));
            throw failure;
        }
        boolean more = state.permits.ask();
        more |= state.rates.ask();
        more |= state.permits.look();
        return more || planned.size() >= BATCH_MAX;
    }

    /// What has its permits. The credits of the rest are given back.
    private List<Planned> covered(List<Planned> planned, Map<WorkerBoot, Integer> credits) {
        if (planned.isEmpty()) {
            return planned;
        }
        state.permits.cover();
        var covered = new ArrayList<Planned>(planned.size());
        for (Planned item : planned) {
            if (state.owns(item.due.shard())
                    && state.permits.covers(item.due.shard(), item.due.task().key())) {
                covered.add(item);
            } else {
                credits.merge(item.worker, -1, Integer::sum);
                putBack(item);
            }
        }
        return covered;
    }

    private void putBack(Planned item) {
        state.core.link().giveBack(new Credits(item.worker, 1));
        OwnedShard shard = state.shards.get(item.due.shard());
        if (shard != null) {
            shard.lanes.rewind(item.due.lane(), item.due.dueAt());
        }
    }

    private List<Planned> plan(Map<WorkerBoot, Integer> credits) {
        Instant now = state.core.clock().now();
        var planned = new ArrayList<Planned>();
        var numbers = new HashMap<Row, Long>();
        state.rates.begin(now);
        List<Offer> offers = offers(now);
        if (!offers.isEmpty()) {
            state.permits.begin();
        }
        Turns.Round round = turns.begin(offers, now);
        while (planned.size() < BATCH_MAX) {
            Optional<Batch> batch = round.next(BATCH_MAX - planned.size());
            if (batch.isEmpty()) {
                break;
            }
            Batch heads = batch.get();
            OwnedShard shard = state.shard(heads.shard());
            int room = state.permits.room(shard.id, heads.key(), heads.heads().size());
            if (room == 0) {
                shard.starved.add(heads.key());
                continue;
            }
            Optional<Credits> taken =
                    state.core.link().take(heads.key().namespace(), heads.key().handler(), room);
            if (taken.isEmpty()) {
                state.missed(heads.key(), now);
                round.drop(heads.key());
                continue;
            }
            state.core.shortages().met(heads.key());
            Credits granted = started(heads.key(), taken.get(), now);
            if (granted.count() == 0) {
                round.drop(heads.key());
                continue;
            }
            credits.merge(granted.worker(), granted.count(), Integer::sum);
            state.permits.plan(shard.id, heads.key(), granted.count());
            long n = numbers.computeIfAbsent(new Row(shard.id, granted.worker()), row -> shard.nextN());
            for (Due due : heads.heads().subList(0, granted.count())) {
                shard.lanes.remove(due.id());
                planned.add(new Planned(due, granted.worker(), n, Fence.of(shard.epoch, n)));
            }
            round.served(heads, granted.count());
        }
        return planned;
    }

    /// Of workers' credits as many as may start; the others go back.
    private Credits started(WorkerNeed key, Credits taken, Instant now) {
        int n = state.rates.use(key, taken.count(), now);
        if (n < taken.count()) {
            state.core.link().giveBack(new Credits(taken.worker(), taken.count() - n));
        }
        if (n == 0) {
            state.blocked.add(key);
        }
        return new Credits(taken.worker(), n);
    }

    /// What may go, once the time of some of it has come.
    private List<Offer> offers(Instant now) {
        return offersBy(now.plus(LEAD)).isEmpty() ? List.of() : offersBy(now.plus(LEAD_MAX));
    }

    private List<Offer> offersBy(Instant dueBy) {
        var offers = new ArrayList<Offer>();
        for (OwnedShard shard : state.shards.values()) {
            if (!shard.isLeaving() && !shard.hasCommands()) {
                offers.addAll(shard.lanes.offers(dueBy, state.blocked(shard)));
            }
        }
        return offers;
    }

    private void commit(List<Planned> planned) {
        Map<UUID, byte[]> apart = payloadsApart(planned);
        Instant now = state.core.clock().now();
        Owned owned = state.owned(
                planned.stream().map(item -> item.due.shard()).distinct().toList());
        // A line of this batch may not hide an earlier one of it from whoever recovers the shard.
        Map<Integer, Long> lows = new HashMap<>();
        planned.forEach(item ->
                lows.merge(item.due.shard(), state.shard(item.due.shard()).low(item.n), Math::min));
        List<Line> lines = planned.stream()
                .map(item -> line(item, Objects.requireNonNull(lows.get(item.due.shard())), now))
                .toList();
        planned.forEach(item -> state.shard(item.due.shard()).committing.add(item.due.id()));
        Set<Integer> passed = state.truth.dispatch(owned, lines, state.rates.by());
        planned.forEach(item -> state.shard(item.due.shard()).committing.clear());
        for (Planned item : planned) {
            if (passed.contains(item.due.shard())) {
                var open = new Open(item.due.withoutPayload(), item.worker, item.fence);
                open.enter(Phase.COMMITTED, state.core.nanos());
                open.listedAt = open.since;
                state.add(open, item.n);
                ready.add(new Ready(open, frame(item, apart.get(item.due.id()))));
            } else {
                putBack(item);
            }
        }
        state.examine(state.missing(owned, passed));
    }

    private static Line line(Planned item, long low, Instant now) {
        return new Line(
                item.due.shard(),
                item.n,
                low,
                item.worker,
                item.due.id(),
                item.due.attempt() + 1,
                ExecutionEvents.dispatch(item.due, item.worker.worker(), item.fence, now));
    }

    private Map<UUID, byte[]> payloadsApart(List<Planned> planned) {
        List<Due> wanted = planned.stream()
                .map(Planned::due)
                .filter(due -> due.payload() == null && due.payloadBytes() <= PAYLOAD_IN_FRAME_MAX)
                .toList();
        if (wanted.isEmpty()) {
            return Map.of();
        }
        var byTask = new HashMap<UUID, OwnerReads.Stored>();
        state.truth
                .payloads(wanted.stream().map(Due::task).distinct().toList())
                .forEach(stored -> byTask.put(stored.task(), stored));
        var payloads = new HashMap<UUID, byte[]>();
        for (Due due : wanted) {
            OwnerReads.Stored stored = byTask.get(due.task().id());
            if (stored != null && stored.version() == due.task().payloadVersion()) {
                payloads.put(due.id(), stored.sealed());
            }
        }
        return payloads;
    }

    private static Dispatch frame(Planned item, byte @Nullable [] apart) {
        TaskFacts task = item.due.task();
        byte[] inline = item.due.payload();
        return new Dispatch(
                item.due.id(),
                task.id(),
                task.namespace(),
                task.payloadVersion(),
                task.keyId(),
                task.handler(),
                item.fence,
                item.due.attempt() + 1,
                task.timeout(),
                item.due.scheduledFor(),
                inline == null ? apart : inline);
    }

    /// Asks for the time once a second while something waits for its own: a beat tells it as it was before a commit.
    void readClock() {
        long askedAt = state.core.nanos();
        Instant next = nextSend();
        if (next != null && next.isAfter(state.core.clock().at(askedAt)) && askedAt - clockReadAt >= CLOCK.toNanos()) {
            Instant at = state.truth.clock();
            clockReadAt = state.core.nanos();
            state.core.clock().read(at, askedAt, clockReadAt);
        }
    }

    /// Hands over what is due now. The link asks once more before each frame whether this core may act.
    void send() {
        if (!state.core.mayAct()) {
            return;
        }
        Instant now = state.core.clock().now();
        long nanos = state.core.nanos();
        var batches = new LinkedHashMap<WorkerBoot, List<Dispatch>>();
        while (!ready.isEmpty() && !ready.peek().open.due.dueAt().isAfter(now)) {
            Ready item = ready.remove();
            if (item.open.phase == Phase.COMMITTED && state.owns(item.open.due.shard())) {
                item.open.enter(Phase.SENT, nanos);
                batches.computeIfAbsent(item.open.worker, worker -> new ArrayList<>())
                        .add(item.dispatch);
            } else {
                state.core.link().giveBack(new Credits(item.open.worker, 1));
            }
        }
        batches.forEach(state.core.link()::send);
    }

    /// Takes back what a shard has committed and not sent.
    List<Open> takeBack(OwnedShard shard) {
        List<Open> unsent = ready.stream()
                .map(Ready::open)
                .filter(open -> open.due.shard() == shard.id && open.phase == Phase.COMMITTED)
                .toList();
        ready.removeIf(item -> unsent.contains(item.open));
        unsent.forEach(open -> state.core.link().giveBack(new Credits(open.worker, 1)));
        return unsent;
    }

    /// After a failure: what waits for its time is put back once the truth has been read.
    void reload() {
        ready.forEach(item -> state.core.link().giveBack(new Credits(item.open.worker, 1)));
        ready.clear();
    }

    /// When the next committed dispatch is to leave.
    @Nullable Instant nextSend() {
        Ready first = ready.peek();
        return first == null ? null : first.open.due.dueAt();
    }
}
