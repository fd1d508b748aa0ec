package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.OwnerReads.Cursor;
import dev.vigil.scheduler.execution.TaskFacts.WorkerNeed;
import dev.vigil.scheduler.task.Lane;
import dev.vigil.scheduler.task.Priority;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
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
    /// Behind what rows of a key were left in the table, because no worker had room for it.
    private final Map<WorkerNeed, Place> left = new HashMap<>();
    /// What is being read of that.
    private final Map<Integer, Refill> refills = new HashMap<>();

    LaneQueue(int number) {
        this.number = number;
    }

    /// A row of the lane, as far as its order goes.
    private record Place(Instant at, UUID id) {}

    /// Rows that were left in the table are read now that there is room.
    private record Refill(Place from, Set<WorkerNeed> keys) {}

    /// How far rows have been read.
    static final class Reading {
        /// The last one read, exclusive; or up to where there is nothing more. What is stored before that later is
        /// told of, by whoever stores it.
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

        void passed(Due row) {
            at = row.dueAt();
            id = row.id();
        }

        /// All up to there has been read, so what others have due before it is not walked through again.
        void reached(Instant bound) {
            at = bound;
            id = FIRST;
        }

        private static Reading at(Instant at, UUID id, @Nullable Instant nextDue) {
            var reading = new Reading();
            reading.at = at;
            reading.id = id;
            reading.nextDue = nextDue;
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
        refills.clear();
        left.forEach((key, place) -> {
            if (hasRoom(key, blocked)) {
                refills.merge(key.namespace(), new Refill(place, Set.of(key)), LaneQueue::both);
            }
        });
        var cursors = new ArrayList<Cursor>();
        if (isDue(rest, bound) && isLow(blocked, namespace -> !big.containsKey(namespace))) {
            cursors.add(new Cursor(shard, number, rest.at, rest.id, null, List.copyOf(big.keySet())));
        }
        big.forEach((only, reading) -> {
            Refill refill = refills.get(only);
            if (refill != null) {
                cursors.add(new Cursor(shard, number, refill.from.at, refill.from.id, only, List.of()));
            } else if (isDue(reading, bound) && isLow(blocked, namespace -> namespace == only)) {
                cursors.add(new Cursor(shard, number, reading.at, reading.id, only, List.of()));
            }
        });
        return cursors;
    }

    private static Refill both(Refill one, Refill other) {
        var keys = new HashSet<>(one.keys);
        keys.addAll(other.keys);
        return new Refill(earlier(one.from, other.from), keys);
    }

    /// Of two at the same time the database knows the order.
    private static Place earlier(Place one, Place other) {
        if (one.at.equals(other.at)) {
            return new Place(one.at, FIRST);
        }
        return one.at.isBefore(other.at) ? one : other;
    }

    /// Whether more of what was left in the table should be read.
    private boolean hasRoom(WorkerNeed key, Set<WorkerNeed> blocked) {
        return size(key) < Lanes.BLOCKED_MAX / 2 && !blocked.contains(key);
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
        for (Map.Entry<WorkerNeed, Place> one : left.entrySet()) {
            if (hasRoom(one.getKey(), blocked)) {
                next = Lanes.earlier(next, one.getValue().at);
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

    /// A page is about to be taken in.
    Reading begin(Cursor cursor) {
        Refill refill = cursor.only() == null ? null : refills.get(cursor.only());
        if (refill != null) {
            refill.keys.forEach(left::remove);
            return Reading.at(cursor.at(), cursor.id(), null);
        }
        Reading reading = cursor.only() == null ? rest : own(cursor.only());
        reading.nextDue = null;
        return reading;
    }

    private Reading own(int namespace) {
        return big.computeIfAbsent(namespace, any -> Reading.at(rest.at, rest.id, rest.nextDue));
    }

    /// A page was taken in.
    ///
    /// @param full whether there may be more of it
    void hasRead(Cursor cursor, Reading reading, boolean full) {
        if (full) {
            reading.nextDue = reading.at;
        }
        if (cursor.only() == null) {
            split(full);
            return;
        }
        int only = cursor.only();
        Refill refill = refills.remove(only);
        Reading own = own(only);
        if (refill != null && full) {
            refill.keys.forEach(key -> left.putIfAbsent(key, new Place(reading.at, reading.id)));
        } else if (left.keySet().stream().noneMatch(key -> key.namespace() == only)) {
            if (refill != null) {
                own.nextDue = Lanes.earlier(own.nextDue, own.at); // so that it is looked at whether it is one of many
            } else if (!full) {
                merge(only, own);
            }
        }
    }

    /// A namespace has nothing more of its own, so the others' reading is its own again.
    private void merge(int namespace, Reading own) {
        big.remove(namespace);
        if (rest.at.isAfter(own.at)) {
            // The clock of the database was set back meanwhile: the others have been read further.
            rest.reached(own.at);
        }
        if (own.nextDue != null) {
            rest.nextDue = Lanes.earlier(rest.nextDue, own.nextDue);
        }
    }

    /// Who fills the memory of this lane, or has something left in the table, goes on by himself.
    private void split(boolean full) {
        if (full) {
            var sizes = new HashMap<Integer, Integer>();
            queues.forEach((key, queue) -> sizes.merge(key.namespace(), queue.size(), Integer::sum));
            sizes.forEach((namespace, size) -> {
                if (size >= Lanes.LOW_WATER) {
                    own(namespace);
                }
            });
        }
        left.keySet().forEach(key -> own(key.namespace()));
    }

    void add(Due due) {
        queues.computeIfAbsent(due.task().key(), key -> new TreeSet<>(Due.ORDER))
                .add(due);
    }

    /// A row stays in the table, the one behind where the reading is.
    void leave(WorkerNeed key, Reading reading) {
        var place = new Place(reading.at, reading.id);
        left.merge(key, place, LaneQueue::earlier);
    }

    /// It is dispatched, or is to be read anew.
    void remove(Due due) {
        WorkerNeed key = due.task().key();
        TreeSet<Due> queue = queues.get(key);
        if (queue != null && queue.remove(due) && queue.isEmpty()) {
            queues.remove(key);
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
