package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.PermitRows.Moved;
import dev.vigil.scheduler.execution.PermitRows.Standing;
import dev.vigil.scheduler.execution.TaskFacts.WorkerNeed;
import dev.vigil.scheduler.task.Limited;
import dev.vigil.scheduler.task.Limited.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What the shards of a loop hold of limits of running executions: of their owners, namespaces and handlers. A permit
/// belongs to a shard, and each open dispatch holds one of each limit that it is under, so the sum over all shards is
/// never above the limit, whoever owns them. Permits move in blocks, when somebody wants more and once a second when
/// they are not needed: no row changes with each execution. Whoever has no limit costs nothing here.
///
/// Not for use by several threads.
final class Permits {
    /// How long after a refusal the same shard asks again.
    private static final long ASK_AGAIN = Duration.ofSeconds(1).toNanos();

    /// How old what is known of shared limits may be when something is dispatched.
    private static final long KNOWN = Duration.ofSeconds(1).toNanos();

    private final LoopState state;
    private final Map<ShardKey, Hold> holds = new HashMap<>();
    private final Map<ShardKey, Integer> wanted = new HashMap<>();
    private final List<Hold> planned = new ArrayList<>();
    private long learntAt;

    Permits(LoopState state) {
        this.state = state;
    }

    private record ShardKey(int shard, Limited key) {}

    private static final class Hold {
        int held;
        int used;
        /// Of a dispatch that is not committed yet.
        int planned;
        /// While others have none, it uses only so many.
        int cap = Integer.MAX_VALUE;
        long refusedAt;
        boolean refused;

        int room() {
            return Math.min(held, cap) - used - planned;
        }
    }

    private Hold hold(ShardKey place) {
        return holds.computeIfAbsent(place, p -> new Hold());
    }

    /// Learns which limits there are, if that is longer ago than a second; and a new dispatch is planned.
    void begin() {
        if (state.core.nanos() - learntAt >= KNOWN) {
            learn();
        }
        planned.forEach(hold -> hold.planned = 0);
        planned.clear();
    }

    /// What runs under a limit is counted when the limit is heard of.
    private void learn() {
        learntAt = state.core.nanos();
        state.truth.sharedLimits(state.limits().change()).ifPresent(fresh -> {
            state.learn(fresh);
            holds.forEach((place, hold) -> {
                if (place.key.kind() != Kind.OWNER) {
                    hold.used = 0;
                }
            });
            state.shards
                    .values()
                    .forEach(shard -> shard.open
                            .values()
                            .forEach(open -> state
                                    .limits()
                                    .permits(open.due.task().key())
                                    .stream()
                                    .filter(key -> key.kind() != Kind.OWNER)
                                    .forEach(key -> hold(new ShardKey(shard.id, key)).used++)));
        });
    }

    /// How many executions of a key a shard may dispatch now; asks for more when there are none. What all of its limits
    /// leave counts, and only the first that leaves nothing is asked for: who waits for one holds up no other.
    int room(int shard, WorkerNeed need, int wish) {
        int room = wish;
        for (Limited key : state.limits().permits(need)) {
            var place = new ShardKey(shard, key);
            room = Math.min(room, hold(place).room());
            if (room < 1) {
                wanted.merge(place, wish, Math::max);
                return 0;
            }
        }
        return room;
    }

    /// So many of a key are about to be dispatched.
    void plan(int shard, WorkerNeed need, int n) {
        for (Limited key : state.limits().permits(need)) {
            Hold hold = hold(new ShardKey(shard, key));
            hold.planned += n;
            planned.add(hold);
        }
    }

    /// A dispatch takes its permits, also one that another owner of the shard has made.
    void take(Due due) {
        state.limits().permits(due.task().key()).forEach(key -> hold(new ShardKey(due.shard(), key)).used++);
    }

    /// A dispatch is over.
    void giveBack(Due due) {
        for (Limited key : state.limits().permits(due.task().key())) {
            Hold hold = holds.get(new ShardKey(due.shard(), key));
            if (hold != null) {
                hold.used--;
            }
            wake(due.shard(), key);
        }
    }

    /// What waited for a limit in a shard is looked at again.
    private void wake(int id, Limited key) {
        OwnedShard shard = state.shards.get(id);
        if (shard != null) {
            shard.starved.removeIf(need -> state.limits().permits(need).contains(key));
        }
    }

    void lose(int shard) {
        holds.keySet().removeIf(place -> place.shard == shard);
        wanted.keySet().removeIf(place -> place.shard == shard);
    }

    /// Takes over what is stored for these shards. What is dispatched in them is counted by [#take].
    void adopt(Collection<Integer> shards) {
        learn();
        state.truth.permits(shards).forEach(row -> hold(new ShardKey(row.shard(), row.key())).held = row.n());
    }

    /// Asks for what was wanted.
    ///
    /// @return whether any came
    boolean ask() {
        if (wanted.isEmpty()) {
            return false;
        }
        long now = state.core.nanos();
        var asks = new HashMap<Limited, List<Moved>>();
        wanted.forEach((place, wish) -> {
            Hold hold = holds.get(place);
            if (hold != null && hold.cap == Integer.MAX_VALUE && !(hold.refused && now - hold.refusedAt < ASK_AGAIN)) {
                asks.computeIfAbsent(place.key, key -> new ArrayList<>()).add(new Moved(place.shard, place.key, wish));
            }
        });
        wanted.clear();
        boolean came = false;
        for (List<Moved> ask : asks.values()) {
            came |= ask(ask, now);
        }
        return came;
    }

    private boolean ask(List<Moved> moves, long now) {
        Map<Integer, Integer> came = take(moves, false);
        for (Moved move : moves) {
            Hold hold = holds.get(new ShardKey(move.shard(), move.key()));
            int n = came.getOrDefault(move.shard(), 0);
            if (hold != null) {
                hold.refused = n == 0;
                hold.refusedAt = now;
                if (hold.held > hold.used) {
                    wake(move.shard(), move.key());
                }
            }
        }
        return came.values().stream().anyMatch(n -> n > 0);
    }

    private Map<Integer, Integer> take(List<Moved> moves, boolean beyond) {
        Owned owned = state.owned(moves.stream().map(Moved::shard).toList());
        Map<Integer, Integer> came = state.truth.takePermits(owned, moves, beyond);
        for (Moved move : moves) {
            Hold hold = holds.get(new ShardKey(move.shard(), move.key()));
            if (hold != null) {
                hold.held += came.getOrDefault(move.shard(), 0);
            }
        }
        state.examine(state.missing(owned, came.keySet()));
        return came;
    }

    /// Gives back what is not used, and uses less for a while when others have none: once a second, while something
    /// is at work here.
    void settle() {
        state.shards.values().forEach(shard -> shard.starved.clear());
        if (holds.isEmpty() && state.shards.values().stream().allMatch(shard -> shard.open.isEmpty())) {
            return;
        }
        learn();
        Set<Limited> keys = new HashSet<>();
        holds.forEach((place, hold) -> keys.add(place.key));
        if (keys.isEmpty()) {
            return;
        }
        Map<Limited, Standing> standings = state.truth.standings(keys);
        for (Limited key : keys) {
            settle(key, standings.getOrDefault(key, Standing.NONE));
        }
        holds.values().removeIf(hold -> hold.held == 0 && hold.used == 0);
    }

    private void settle(Limited key, Standing standing) {
        var backs = new ArrayList<Moved>();
        var lacks = new ArrayList<Moved>();
        holds.forEach((place, hold) -> {
            if (place.key.equals(key) && hold.held > hold.used) {
                backs.add(new Moved(place.shard, key, hold.held - hold.used));
            } else if (place.key.equals(key) && hold.held < hold.used) {
                lacks.add(new Moved(place.shard, key, hold.used - hold.held));
            }
        });
        if (!backs.isEmpty()) {
            giveBack(backs);
        }
        Standing now = standing;
        if (!lacks.isEmpty()) {
            // It ran before there was a limit. Nobody else starts in its place.
            int taken = take(lacks, true).values().stream().mapToInt(n -> n).sum();
            now = new Standing(standing.most(), standing.taken() + taken, standing.wanted());
        }
        for (Map.Entry<ShardKey, Hold> one : holds.entrySet()) {
            if (one.getKey().key.equals(key)) {
                one.getValue().cap = cap(one.getValue().held, now);
            }
        }
    }

    private void giveBack(List<Moved> backs) {
        Owned owned = state.owned(backs.stream().map(Moved::shard).toList());
        Set<Integer> passed = state.truth.givePermitsBack(owned, backs);
        backs.stream().filter(back -> passed.contains(back.shard())).forEach(back -> {
            Hold hold = holds.get(new ShardKey(back.shard(), back.key()));
            if (hold != null) {
                hold.held -= back.n();
            }
        });
        state.examine(state.missing(owned, passed));
    }

    /// Above the limit, which was lowered, everybody uses his part of the new one; at the limit, while others wait,
    /// half of what he has, so that what becomes free goes round.
    private static int cap(int held, Standing standing) {
        if (held == 0) {
            return Integer.MAX_VALUE;
        }
        if (standing.taken() > standing.most()) {
            return (int) ((long) held * standing.most() / standing.taken());
        }
        return standing.wanted() ? held / 2 : Integer.MAX_VALUE;
    }
}
