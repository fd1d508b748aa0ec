package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.OwnerReads.Cursor;
import dev.vigil.scheduler.execution.TaskFacts.WorkerNeed;
import dev.vigil.scheduler.task.Lane;
import dev.vigil.scheduler.task.Priority;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The queues of one shard in memory: of each lane what has been read and is not dispatched, and where reading
/// goes on.
///
/// Not for use by several threads.
final class Lanes {
    /// How far ahead of their due time executions are read.
    static final Duration LOOK_AHEAD = Duration.ofSeconds(1);

    /// A waiting execution counts as one priority higher after each of these.
    static final Duration AGEING = Duration.ofSeconds(30);

    /// A lane that holds fewer that could go is read on.
    static final int LOW_WATER = 500;

    /// Of a key that no worker has room for, a lane holds that many and leaves the rest in the table, so that
    /// they do not keep others from being read.
    static final int BLOCKED_MAX = 200;

    private static final UUID FIRST = new UUID(0, 0);

    private final int shard;
    private final Map<Integer, LaneQueue> lanes = new LinkedHashMap<>();
    private final Map<UUID, Due> known = new HashMap<>();
    private long turns;

    Lanes(int shard) {
        this.shard = shard;
    }

    /// Something may be due in a lane from an instant on that has not been read.
    void rewind(int lane, Instant dueAt) {
        if (Lane.isDispatchable(lane)) {
            lanes.computeIfAbsent(lane, LaneQueue::new).rewind(dueAt);
        }
    }

    /// The same for each lane of a bit set.
    void rewindAll(long bits, Instant dueAt) {
        for (int lane = 0; lane < Lane.COUNT; lane++) {
            if ((bits & (1L << lane)) != 0) {
                rewind(lane, dueAt);
            }
        }
    }

    /// Where to read on, for lanes that may hold something due within the look-ahead and are not full.
    ///
    /// @param blocked keys that no worker has room for
    List<Cursor> toRead(Instant now, Set<WorkerNeed> blocked) {
        Instant bound = now.plus(LOOK_AHEAD);
        return lanes.values().stream()
                .filter(lane -> lane.nextDue != null && !lane.nextDue.isAfter(bound))
                .filter(lane -> lane.sizeWithout(blocked) < LOW_WATER)
                .map(lane -> new Cursor(shard, lane.number, lane.at, lane.id))
                .toList();
    }

    /// Takes what a read from a cursor gave: due executions up to the bound, and perhaps the first one beyond.
    ///
    /// @param skip whether an execution is dispatched already
    void read(Page page, Set<WorkerNeed> blocked, Predicate<UUID> skip) {
        LaneQueue lane = lanes.computeIfAbsent(page.from.lane(), LaneQueue::new);
        int due = 0;
        lane.nextDue = null;
        for (Due row : page.rows) {
            if (row.dueAt().isAfter(page.bound)) {
                lane.nextDue = row.dueAt();
                break;
            }
            due++;
            lane.at = row.dueAt();
            lane.id = row.id();
            if (known.containsKey(row.id()) || skip.test(row.id())) {
                continue;
            }
            if (blocked.contains(row.task().key()) && lane.size(row.task().key()) >= BLOCKED_MAX) {
                lane.park(row);
            } else {
                known.put(row.id(), row);
                lane.add(row);
            }
        }
        if (due >= OwnerReads.SCAN_MAX) {
            lane.nextDue = lane.at;
        }
    }

    /// What a read of a lane gave.
    ///
    /// @param bound up to which everything was read, unless the page was full
    record Page(Cursor from, List<Due> rows, Instant bound) {}

    /// Takes an execution out of its queue, if it is in one.
    Optional<Due> remove(UUID id) {
        Due due = known.remove(id);
        if (due != null) {
            LaneQueue lane = lanes.get(due.lane());
            if (lane != null) {
                lane.remove(due);
            }
        }
        return Optional.ofNullable(due);
    }

    /// What is queued of one task.
    List<Due> ofTask(UUID task) {
        return known.values().stream()
                .filter(due -> due.task().id().equals(task))
                .toList();
    }

    /// Takes up to `atMost` executions due by an instant, whose key is wanted. Priorities go by their urgency, which
    /// grows with what waits longest in them. The lanes of one priority take turns, so a namespace with much to do
    /// keeps those in other lanes for no more than a batch each; so do the keys in a lane.
    ///
    /// @param blocked keys that no worker has room for
    Optional<Batch> next(Instant now, Instant dueBy, Set<WorkerNeed> blocked, int atMost) {
        var urgency = new HashMap<Priority, Long>();
        lanes.values().forEach(lane -> urgency.merge(lane.priority(), lane.urgency(now), Math::max));
        List<LaneQueue> order = new ArrayList<>(lanes.values());
        order.sort(Comparator.comparingLong((LaneQueue lane) -> -urgency.getOrDefault(lane.priority(), 0L))
                .thenComparingLong(lane -> lane.servedAt));
        for (LaneQueue lane : order) {
            for (Map.Entry<WorkerNeed, TreeSet<Due>> queue : lane.queues.entrySet()) {
                if (blocked.contains(queue.getKey())) {
                    continue;
                }
                List<Due> heads = queue.getValue().stream()
                        .takeWhile(due -> !due.dueAt().isAfter(dueBy))
                        .limit(atMost)
                        .toList();
                if (!heads.isEmpty()) {
                    turns++;
                    lane.serve(queue.getKey(), turns);
                    return Optional.of(new Batch(heads.getFirst().task().key(), heads));
                }
            }
        }
        return Optional.empty();
    }

    /// Executions of one key, the first of their lane.
    record Batch(WorkerNeed key, List<Due> heads) {}

    /// When something is to be done here next: an execution is to be dispatched, or a lane is to be read.
    ///
    /// @param blocked keys that no worker has room for; they wait for a worker, not for a time
    @Nullable Instant nextWake(Set<WorkerNeed> blocked) {
        Instant next = null;
        for (LaneQueue lane : lanes.values()) {
            if (lane.nextDue != null && lane.sizeWithout(blocked) < LOW_WATER) {
                next = earlier(next, lane.nextDue.minus(LOOK_AHEAD));
            }
            for (Map.Entry<WorkerNeed, TreeSet<Due>> queue : lane.queues.entrySet()) {
                if (!blocked.contains(queue.getKey())) {
                    next = earlier(next, queue.getValue().first().dueAt().minus(Dispatching.LEAD));
                }
            }
        }
        return next;
    }

    int size() {
        return known.size();
    }

    private static Instant earlier(@Nullable Instant a, Instant b) {
        return a == null || b.isBefore(a) ? b : a;
    }

    private static final class LaneQueue {
        final int number;
        final Map<WorkerNeed, TreeSet<Due>> queues = new LinkedHashMap<>();
        /// From where rows of blocked keys were left in the table.
        final Map<WorkerNeed, Instant> parked = new HashMap<>();
        /// The last one read, exclusive.
        Instant at = Instant.EPOCH;
        UUID id = FIRST;
        /// Not after the first one beyond; null when there is none.
        @Nullable Instant nextDue;
        /// The turn at which something of it was last taken.
        long servedAt;

        LaneQueue(int number) {
            this.number = number;
        }

        Priority priority() {
            return Lane.priority(number);
        }

        /// A key had its turn: the others of this lane are before it next time.
        void serve(WorkerNeed key, long turn) {
            servedAt = turn;
            TreeSet<Due> queue = queues.remove(key);
            if (queue != null) {
                queues.put(key, queue);
            }
        }

        void rewind(Instant dueAt) {
            if (!dueAt.isAfter(at)) {
                at = dueAt;
                id = FIRST;
            }
            nextDue = earlier(nextDue, dueAt);
        }

        void add(Due due) {
            queues.computeIfAbsent(due.task().key(), key -> new TreeSet<>(Due.ORDER))
                    .add(due);
        }

        void park(Due due) {
            parked.merge(due.task().key(), due.dueAt(), Lanes::earlier);
        }

        /// Room for what was left in the table comes when what was kept of its key goes.
        void remove(Due due) {
            WorkerNeed key = due.task().key();
            TreeSet<Due> queue = queues.get(key);
            if (queue != null && queue.remove(due) && queue.isEmpty()) {
                queues.remove(key);
            }
            if (size(key) < BLOCKED_MAX / 2) {
                Instant left = parked.remove(key);
                if (left != null) {
                    rewind(left);
                }
            }
        }

        int size(WorkerNeed key) {
            TreeSet<Due> queue = queues.get(key);
            return queue == null ? 0 : queue.size();
        }

        int sizeWithout(Set<WorkerNeed> blocked) {
            return queues.entrySet().stream()
                    .filter(queue -> !blocked.contains(queue.getKey()))
                    .mapToInt(queue -> queue.getValue().size())
                    .sum();
        }

        /// Priority in steps of ageing: who waits long rises, so nobody starves.
        long urgency(Instant now) {
            Instant oldest = queues.values().stream()
                    .map(queue -> queue.first().dueAt())
                    .min(Comparator.naturalOrder())
                    .orElse(now);
            long waited = Math.max(0, Duration.between(oldest, now).toMillis());
            return priority().code() * AGEING.toMillis() + waited;
        }
    }
}
