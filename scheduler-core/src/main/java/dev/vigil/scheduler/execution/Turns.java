package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.TaskFacts.WorkerNeed;
import dev.vigil.scheduler.task.Priority;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SortedSet;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/// Whose turn it is among all that is due in the shards of a loop. Priorities go by their urgency, which grows with
/// what waits longest in them. Within one, the namespace that has had least goes first, so one with a million due
/// keeps another waiting for a few executions and no more; within a namespace, so do its keys.
///
/// What a namespace has had is divided by its weight and counted as in start-time fair queueing: who comes with nothing
/// owed starts where the
/// others are, so nobody saves turns up while he has nothing to do.
///
/// Not for use by several threads.
final class Turns {
    /// A waiting execution counts as one priority higher after each of these.
    static final Duration AGEING = Duration.ofSeconds(30);

    /// Most that one of several namespaces takes before it is another's turn.
    static final int QUANTUM = 8;

    /// What an execution counts for a namespace of weight 1.
    private static final long UNIT = 1000;

    private final IntUnaryOperator weights;
    private final Map<Integer, Long> had = new HashMap<>();
    private final Map<WorkerNeed, Long> servedAt = new HashMap<>();
    private long level;
    private long turn;

    /// @param weights of namespaces, 1 or more
    Turns(IntUnaryOperator weights) {
        this.weights = weights;
    }

    /// What a shard has due of one key in one lane.
    ///
    /// @param queue of that key, oldest first; what is dispatched is taken out of it
    /// @param dueBy what is due later is not offered
    record Offer(int shard, Priority priority, WorkerNeed key, SortedSet<Due> queue, Instant dueBy) {
        private boolean isOpen() {
            return !queue.isEmpty() && !queue.first().dueAt().isAfter(dueBy);
        }

        private long urgency(Instant now) {
            long waited =
                    Math.max(0, Duration.between(queue.first().dueAt(), now).toMillis());
            return priority.code() * AGEING.toMillis() + waited;
        }
    }

    /// Executions of one key in one shard whose turn it is, oldest first.
    record Batch(Offer from, List<Due> heads) {
        int shard() {
            return from.shard;
        }

        WorkerNeed key() {
            return from.key;
        }
    }

    /// Begins to deal out what is due.
    Round begin(List<Offer> offers, Instant now) {
        var urgency = new EnumMap<Priority, Long>(Priority.class);
        offers.forEach(offer -> urgency.merge(offer.priority, offer.urgency(now), Math::max));
        var levels = new EnumMap<Priority, Level>(Priority.class);
        for (Offer offer : offers) {
            levels.computeIfAbsent(offer.priority, any -> new Level()).add(offer);
        }
        List<Level> order = levels.entrySet().stream()
                .sorted(Comparator.comparingLong(one -> -urgency.getOrDefault(one.getKey(), 0L)))
                .map(Map.Entry::getValue)
                .toList();
        forget(offers);
        order.forEach(Level::line);
        return new Round(order);
    }

    /// Who has nothing due and owes nothing is not remembered.
    private void forget(List<Offer> offers) {
        var namespaces = new HashSet<Integer>();
        var keys = new HashSet<WorkerNeed>();
        offers.forEach(offer -> {
            namespaces.add(offer.key.namespace());
            keys.add(offer.key);
        });
        had.entrySet().removeIf(one -> one.getValue() <= level && !namespaces.contains(one.getKey()));
        servedAt.keySet().retainAll(keys);
    }

    /// Deals out what was due when it began.
    final class Round {
        private final Deque<Level> levels;
        private final Set<WorkerNeed> dropped = new HashSet<>();
        private Level current = new Level();
        private @Nullable Batch pending;

        private Round(List<Level> order) {
            levels = new ArrayDeque<>(order);
        }

        /// The next ones. Unless the round is told that they were dispatched, nothing of their key and shard comes
        /// again.
        Optional<Batch> next(int atMost) {
            if (pending != null) {
                current.back(pending.key().namespace());
            }
            pending = null;
            while (!levels.isEmpty()) {
                current = levels.getFirst();
                Optional<Offer> offer = current.next(dropped);
                if (offer.isPresent()) {
                    int most = current.isShared() ? Math.min(atMost, QUANTUM) : atMost;
                    pending = new Batch(offer.get(), heads(offer.get(), most));
                    return Optional.of(pending);
                }
                levels.removeFirst();
            }
            return Optional.empty();
        }

        private static List<Due> heads(Offer offer, int most) {
            var heads = new ArrayList<Due>();
            for (Due due : offer.queue) {
                if (heads.size() == most || due.dueAt().isAfter(offer.dueBy)) {
                    break;
                }
                heads.add(due);
            }
            return heads;
        }

        /// So many of a batch were dispatched, and taken out of their queue.
        void served(Batch batch, int n) {
            int namespace = batch.key().namespace();
            long start = start(namespace);
            level = Math.max(level, start);
            had.put(namespace, start + n * UNIT / weights.applyAsInt(namespace));
            servedAt.put(batch.key(), ++turn);
            if (batch.from.isOpen()) {
                current.add(batch.from);
            }
            current.back(namespace);
            pending = null;
        }

        /// Nobody has room for this key.
        void drop(WorkerNeed key) {
            dropped.add(key);
        }
    }

    private long start(int namespace) {
        return Math.max(had.getOrDefault(namespace, level), level);
    }

    /// What is due of one priority.
    private final class Level {
        private final Map<Integer, Map<WorkerNeed, Deque<Offer>>> offers = new HashMap<>();
        private final PriorityQueue<Place> line = new PriorityQueue<>(Comparator.comparingLong(Place::had));

        private record Place(int namespace, long had) {}

        void add(Offer offer) {
            offers.computeIfAbsent(offer.key.namespace(), any -> new LinkedHashMap<>())
                    .computeIfAbsent(offer.key, any -> new ArrayDeque<>())
                    .add(offer);
        }

        /// Puts the namespaces in order, their keys by when they were last served, and first the shard of each in
        /// which somebody has waited longest.
        void line() {
            offers.forEach((namespace, keys) -> {
                List<Map.Entry<WorkerNeed, Deque<Offer>>> sorted = new ArrayList<>(keys.entrySet());
                sorted.sort(Comparator.comparingLong(one -> servedAt.getOrDefault(one.getKey(), 0L)));
                keys.clear();
                sorted.forEach(one -> {
                    var shards = new ArrayList<>(one.getValue());
                    shards.sort(Comparator.comparing(offer -> offer.queue.first(), Due.ORDER));
                    keys.put(one.getKey(), new ArrayDeque<>(shards));
                });
                back(namespace);
            });
        }

        boolean isShared() {
            return !line.isEmpty();
        }

        /// Takes the next offer out; its namespace too, until it is put back.
        Optional<Offer> next(Set<WorkerNeed> dropped) {
            while (!line.isEmpty()) {
                int namespace = line.remove().namespace;
                Map<WorkerNeed, Deque<Offer>> keys = offers.getOrDefault(namespace, Map.of());
                keys.keySet().removeAll(dropped);
                if (!keys.isEmpty()) {
                    Map.Entry<WorkerNeed, Deque<Offer>> first =
                            keys.entrySet().iterator().next();
                    WorkerNeed key = first.getKey();
                    Deque<Offer> shards = first.getValue();
                    keys.remove(key);
                    Offer offer = shards.removeFirst();
                    if (!shards.isEmpty()) {
                        keys.put(key, shards);
                    }
                    return Optional.of(offer);
                }
            }
            return Optional.empty();
        }

        void back(int namespace) {
            if (!offers.getOrDefault(namespace, Map.of()).isEmpty()) {
                line.add(new Place(namespace, start(namespace)));
            }
        }
    }
}
