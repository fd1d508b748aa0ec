package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.OwnerReads.Cursor;
import dev.vigil.scheduler.execution.TaskFacts.WorkerNeed;
import dev.vigil.scheduler.execution.Turns.Offer;
import dev.vigil.scheduler.task.Lane;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
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

    /// Up to where they are read then: as far again, or each that comes within the look-ahead would be read by itself.
    static final Duration READ_AHEAD = LOOK_AHEAD.multipliedBy(2);

    /// A lane that holds fewer that could go is read on.
    static final int LOW_WATER = 500;

    /// Of a key that no worker has room for, a lane holds that many and leaves the rest in the table, so that
    /// they do not keep others from being read.
    static final int BLOCKED_MAX = 200;

    private final int shard;
    private final Map<Integer, LaneQueue> lanes = new LinkedHashMap<>();
    private final Map<UUID, Due> known = new HashMap<>();

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
                .flatMap(lane -> lane.toRead(shard, bound, blocked).stream())
                .toList();
    }

    /// Takes what a read from a cursor gave: due executions up to the bound, and perhaps the first one beyond.
    ///
    /// @param skip whether an execution is dispatched already
    void read(Page page, Set<WorkerNeed> blocked, Predicate<UUID> skip) {
        LaneQueue lane = lanes.computeIfAbsent(page.from.lane(), LaneQueue::new);
        LaneQueue.Reading reading = lane.begin(page.from);
        int due = 0;
        for (Due row : page.rows) {
            if (row.dueAt().isAfter(page.bound)) {
                reading.nextDue = row.dueAt();
                break;
            }
            due++;
            if (!known.containsKey(row.id()) && !skip.test(row.id())) {
                if (blocked.contains(row.task().key()) && lane.size(row.task().key()) >= BLOCKED_MAX) {
                    lane.leave(row.task().key(), reading);
                } else {
                    known.put(row.id(), row);
                    lane.add(row);
                }
            }
            reading.passed(row);
        }
        boolean full = due >= OwnerReads.SCAN_MAX;
        if (!full) {
            reading.reached(page.bound);
        }
        lane.hasRead(page.from, reading, full);
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

    /// What is due by an instant, by key.
    ///
    /// @param blocked keys that no worker has room for
    List<Offer> offers(Instant dueBy, Set<WorkerNeed> blocked) {
        var offers = new ArrayList<Offer>();
        for (LaneQueue lane : lanes.values()) {
            lane.queues.forEach((key, queue) -> {
                if (!blocked.contains(key) && !queue.first().dueAt().isAfter(dueBy)) {
                    offers.add(new Offer(shard, lane.priority(), key, queue, dueBy));
                }
            });
        }
        return offers;
    }

    /// When something is to be done here next: an execution is to be dispatched, or a lane is to be read.
    ///
    /// @param blocked keys that no worker has room for; they wait for a worker, not for a time
    @Nullable Instant nextWake(Set<WorkerNeed> blocked) {
        Instant next = null;
        for (LaneQueue lane : lanes.values()) {
            Instant read = lane.nextRead(blocked);
            if (read != null) {
                next = earlier(next, read.minus(LOOK_AHEAD));
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

    static Instant earlier(@Nullable Instant a, Instant b) {
        return a == null || b.isBefore(a) ? b : a;
    }
}
