package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.OwnerReads.Cursor;
import dev.vigil.scheduler.execution.TaskFacts.WorkerNeed;
import dev.vigil.scheduler.task.Lane;
import dev.vigil.scheduler.task.Priority;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// What one lane of a shard has in memory, by key, and how far its rows have been read.
///
/// Several namespaces share a lane. One of them that has much due would fill what is kept in memory and hide those
/// behind it, so it is read by a cursor of its own and the others are read past it.
///
/// Not for use by several threads.
final class LaneQueue {
    private static final UUID FIRST = new UUID(0, 0);

    final int number;
    final Map<WorkerNeed, TreeSet<Due>> queues = new HashMap<>();

    private final Reading rest = new Reading();
    private final Map<Integer, Reading> big = new TreeMap<>();
    /// From where rows of blocked keys were left in the table.
    private final Map<WorkerNeed, Instant> parked = new HashMap<>();

    LaneQueue(int number) {
        this.number = number;
    }

    /// How far rows have been read.
    static final class Reading {
        /// The last one read, exclusive.
        Instant at = Instant.EPOCH;
        UUID id = FIRST;
        /// Not after the first one beyond; null when there is none.
        @Nullable Instant nextDue;

        private void rewind(Instant dueAt) {
            if (!dueAt.isAfter(at)) {
                at = dueAt;
                id = FIRST;
            }
            nextDue = Lanes.earlier(nextDue, dueAt);
        }

        private static Reading from(Reading other) {
            var reading = new Reading();
            reading.at = other.at;
            reading.id = other.id;
            reading.nextDue = other.at;
            return reading;
        }
    }

    Priority priority() {
        return Lane.priority(number);
    }

    /// Something may be due from an instant on that has not been read.
    void rewind(Instant dueAt) {
        rest.rewind(dueAt);
        big.values().forEach(reading -> reading.rewind(dueAt));
    }

    /// Where to read on, for what may be due by an instant and is not well stocked in memory.
    List<Cursor> toRead(int shard, Instant bound, Set<WorkerNeed> blocked) {
        var cursors = new ArrayList<Cursor>();
        if (isDue(rest, bound) && isLow(blocked, namespace -> !big.containsKey(namespace))) {
            cursors.add(new Cursor(shard, number, rest.at, rest.id, null, List.copyOf(big.keySet())));
        }
        big.forEach((only, reading) -> {
            if (isDue(reading, bound) && isLow(blocked, namespace -> namespace == only)) {
                cursors.add(new Cursor(shard, number, reading.at, reading.id, only, List.of()));
            }
        });
        return cursors;
    }

    /// When more is to be read, as far as that is known and there is room for it.
    @Nullable Instant nextRead(Set<WorkerNeed> blocked) {
        Instant next = null;
        if (rest.nextDue != null && isLow(blocked, namespace -> !big.containsKey(namespace))) {
            next = rest.nextDue;
        }
        for (Map.Entry<Integer, Reading> one : big.entrySet()) {
            Instant due = one.getValue().nextDue;
            int only = one.getKey();
            if (due != null && isLow(blocked, namespace -> namespace == only)) {
                next = Lanes.earlier(next, due);
            }
        }
        return next;
    }

    private static boolean isDue(Reading reading, Instant bound) {
        return reading.nextDue != null && !reading.nextDue.isAfter(bound);
    }

    private boolean isLow(Set<WorkerNeed> blocked, IntPredicate namespaces) {
        return size(key -> !blocked.contains(key) && namespaces.test(key.namespace())) < Lanes.LOW_WATER;
    }

    Reading reading(Cursor cursor) {
        return cursor.only() == null ? rest : big.computeIfAbsent(cursor.only(), only -> Reading.from(rest));
    }

    /// A page was taken in.
    ///
    /// @param full whether there may be more of it
    void hasRead(Cursor cursor, boolean full) {
        Reading reading = reading(cursor);
        if (full) {
            reading.nextDue = reading.at;
            if (cursor.only() == null) {
                split();
            }
        } else if (cursor.only() != null) {
            big.remove(cursor.only());
            if (reading.nextDue != null) {
                rest.nextDue = Lanes.earlier(rest.nextDue, reading.nextDue);
            }
        }
    }

    /// Who fills the memory of this lane goes on by himself.
    private void split() {
        var sizes = new HashMap<Integer, Integer>();
        queues.forEach((key, queue) -> sizes.merge(key.namespace(), queue.size(), Integer::sum));
        sizes.forEach((namespace, size) -> {
            if (size >= Lanes.LOW_WATER) {
                big.computeIfAbsent(namespace, any -> Reading.from(rest));
            }
        });
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
        if (size(key) < Lanes.BLOCKED_MAX / 2) {
            Instant left = parked.remove(key);
            if (left != null) {
                big.getOrDefault(key.namespace(), rest).rewind(left);
            }
        }
    }

    int size(WorkerNeed key) {
        TreeSet<Due> queue = queues.get(key);
        return queue == null ? 0 : queue.size();
    }

    private int size(Predicate<WorkerNeed> keys) {
        int size = 0;
        for (Map.Entry<WorkerNeed, TreeSet<Due>> queue : queues.entrySet()) {
            if (keys.test(queue.getKey())) {
                size += queue.getValue().size();
            }
        }
        return size;
    }
}
