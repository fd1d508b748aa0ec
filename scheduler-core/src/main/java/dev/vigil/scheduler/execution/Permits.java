package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.PermitRows.Moved;
import dev.vigil.scheduler.execution.PermitRows.Standing;
import dev.vigil.scheduler.execution.PermitRows.Taken;
import dev.vigil.scheduler.execution.TaskFacts.WorkerNeed;
import dev.vigil.scheduler.task.Limited;
import dev.vigil.scheduler.task.Limited.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What the shards of a loop hold of limits of running executions: of their owners, namespaces and handlers. A permit
/// belongs to a shard, and each open dispatch holds one of each limit that it is under, so the sum over all shards is
/// never above the limit, whoever owns them. Permits move in blocks, when somebody wants more and once a second when
/// they are not needed: no row changes with each execution. Only where there are too few do they move at once: between
/// the shards of a loop before each dispatch that needs it, between loops within about a tenth of a second. Whoever has
/// no limit costs nothing here.
///
/// Not for use by several threads.
final class Permits {
    /// How old what is known of shared limits may be when something is dispatched.
    private static final long KNOWN = Duration.ofSeconds(1).toNanos();

    /// Between two looks at limits that somebody waits for. A look changes no row.
    private static final long LOOK_AGAIN = Duration.ofMillis(100).toNanos();

    private final LoopState state;
    /// In the order they were met, so that a run of the simulator can be played again.
    private final Map<Limited, Pool> pools = new LinkedHashMap<>();
    /// Who had to wait first comes first.
    private final Map<ShardKey, Integer> wanted = new LinkedHashMap<>();
    private final Set<Pool> planned = new LinkedHashSet<>();
    /// Limits of which something became free.
    private final Set<Limited> freed = new HashSet<>();
    private long learntAt;
    private long lookedAt;

    Permits(LoopState state) {
        this.state = state;
    }

    private record ShardKey(int shard, Limited key) {}

    private Pool pool(Limited key) {
        return pools.computeIfAbsent(key, Pool::new);
    }

    /// Learns which limits there are, if that is longer ago than a second; and a new dispatch is planned.
    void begin() {
        if (state.core.nanos() - learntAt >= KNOWN) {
            learn();
        }
        planned.forEach(Pool::forgetPlans);
        planned.clear();
    }

    /// What runs under a limit is counted when the limit is heard of.
    private void learn() {
        learntAt = state.core.nanos();
        state.truth.sharedLimits(state.limits().change()).ifPresent(fresh -> {
            state.learn(fresh);
            pools.values().stream()
                    .filter(pool -> pool.key.kind() != Kind.OWNER)
                    .forEach(Pool::forgetUsed);
            state.shards
                    .values()
                    .forEach(shard -> shard.open
                            .values()
                            .forEach(open -> state
                                    .limits()
                                    .permits(open.due.task().key())
                                    .stream()
                                    .filter(key -> key.kind() != Kind.OWNER)
                                    .forEach(key -> pool(key).hold(shard.id).used++)));
        });
    }

    /// How many executions of a key a shard may dispatch now; asks for more when there are none. What all of its limits
    /// leave counts, and only the first that leaves nothing is asked for: who waits for one holds up no other.
    int room(int shard, WorkerNeed need, int wish) {
        int room = wish;
        for (Limited key : state.limits().permits(need)) {
            room = Math.min(room, pool(key).room(shard));
            if (room < 1) {
                wanted.merge(new ShardKey(shard, key), wish, Math::max);
                return 0;
            }
        }
        return room;
    }

    /// So many of a key are about to be dispatched.
    void plan(int shard, WorkerNeed need, int n) {
        for (Limited key : state.limits().permits(need)) {
            Pool pool = pool(key);
            pool.hold(shard).planned += n;
            planned.add(pool);
        }
    }

    /// Brings permits to where something is planned.
    void cover() {
        for (Pool pool : planned) {
            List<Moved> shifts = pool.shifts();
            if (!shifts.isEmpty()) {
                Owned owned = state.owned(shifts.stream().map(Moved::shard).toList());
                Set<Integer> passed = state.truth.movePermits(owned, shifts);
                if (passed.size() == shifts.size()) {
                    shifts.forEach(pool::add);
                }
                state.examine(state.missing(owned, passed));
            }
        }
    }

    /// Whether what is planned of a key in a shard has its permits. It has not when a shard was lost that had them.
    boolean covers(int shard, WorkerNeed need) {
        return state.limits().permits(need).stream().allMatch(key -> pool(key).covers(shard));
    }

    /// A dispatch takes its permits, also one that another owner of the shard has made.
    void take(Due due) {
        state.limits().permits(due.task().key()).forEach(key -> pool(key).hold(due.shard()).used++);
    }

    /// A dispatch is over.
    void giveBack(Due due) {
        for (Limited key : state.limits().permits(due.task().key())) {
            Pool pool = pools.get(key);
            if (pool != null) {
                pool.release(due.shard());
            }
            freed.add(key);
        }
    }

    /// What waited for a limit of which something became free is looked at again.
    void wake() {
        if (!freed.isEmpty()) {
            state.shards
                    .values()
                    .forEach(shard -> shard.starved.removeIf(
                            need -> state.limits().permits(need).stream().anyMatch(freed::contains)));
            freed.clear();
        }
    }

    private boolean isAwaited(Limited key) {
        return state.shards.values().stream()
                .anyMatch(shard -> shard.starved.stream()
                        .anyMatch(need -> state.limits().permits(need).contains(key)));
    }

    void lose(int shard) {
        pools.values().forEach(pool -> pool.lose(shard));
        wanted.keySet().removeIf(place -> place.shard == shard);
    }

    /// Takes over what is stored for these shards. What is dispatched in them is counted by [#take].
    void adopt(Collection<Integer> shards) {
        learn();
        state.truth.permits(shards).forEach(row -> pool(row.key()).hold(row.shard()).held = row.n());
    }

    /// Asks for what was wanted.
    ///
    /// @return whether more may be dispatched now
    boolean ask() {
        if (wanted.isEmpty()) {
            return false;
        }
        long now = state.core.nanos();
        var asks = new LinkedHashMap<Limited, List<Moved>>();
        wanted.forEach((place, wish) -> {
            if (pool(place.key).mayAsk(now)) {
                asks.computeIfAbsent(place.key, key -> new ArrayList<>()).add(new Moved(place.shard, place.key, wish));
            }
        });
        wanted.clear();
        boolean came = false;
        for (Map.Entry<Limited, List<Moved>> ask : asks.entrySet()) {
            int wish = ask.getValue().stream().mapToInt(Moved::n).sum();
            if (pool(ask.getKey()).asked(wish, take(ask.getValue(), false), now)) {
                freed.add(ask.getKey());
                came = true;
            }
        }
        return came;
    }

    private Taken take(List<Moved> moves, boolean beyond) {
        Pool pool = pool(moves.getFirst().key());
        Owned owned = state.owned(moves.stream().map(Moved::shard).toList());
        Taken taken = state.truth.takePermits(owned, moves, beyond);
        taken.came().forEach((shard, n) -> pool.add(new Moved(shard, pool.key, n)));
        state.examine(state.missing(owned, taken.came().keySet()));
        return taken;
    }

    /// How long until limits that somebody waits for are looked at again.
    long nanosToLook() {
        return pools.values().stream().anyMatch(Pool::isTight)
                ? lookedAt + LOOK_AGAIN - state.core.nanos()
                : Long.MAX_VALUE;
    }

    /// Where there are too few: sees whether there are some again, and gives back what is not needed here.
    ///
    /// @return whether it is worth asking again
    boolean look() {
        if (nanosToLook() > 0) {
            return false;
        }
        lookedAt = state.core.nanos();
        List<Pool> tight = pools.values().stream().filter(Pool::isTight).toList();
        Map<Limited, Standing> standings =
                state.truth.standings(tight.stream().map(pool -> pool.key).toList());
        for (Pool pool : tight) {
            boolean there = pool.look(standings.getOrDefault(pool.key, Standing.NONE), lookedAt);
            giveBack(pool, pool.surplus(isAwaited(pool.key)));
            if (there) {
                freed.add(pool.key);
            }
        }
        return !freed.isEmpty();
    }

    /// Gives back what is not used, and uses less for a while when others have none: once a second, while something
    /// is at work here.
    void settle() {
        state.shards.values().forEach(shard -> shard.starved.clear());
        if (pools.isEmpty() && state.shards.values().stream().allMatch(shard -> shard.open.isEmpty())) {
            return;
        }
        learn();
        if (pools.isEmpty()) {
            return;
        }
        Map<Limited, Standing> standings = state.truth.standings(pools.keySet());
        for (Pool pool : List.copyOf(pools.values())) {
            settle(pool, standings.getOrDefault(pool.key, Standing.NONE));
        }
        pools.values().removeIf(Pool::isEmpty);
    }

    private void settle(Pool pool, Standing standing) {
        giveBack(pool, pool.idle());
        List<Moved> lacks = pool.lacks();
        Standing now = standing;
        if (!lacks.isEmpty()) {
            // It ran before there was a limit. Nobody else starts in its place.
            now = standing.and(take(lacks, true).sum());
        }
        pool.settle(now, state.core.nanos());
    }

    private void giveBack(Pool pool, List<Moved> backs) {
        if (backs.isEmpty()) {
            return;
        }
        Owned owned = state.owned(backs.stream().map(Moved::shard).toList());
        Set<Integer> passed = state.truth.givePermitsBack(owned, backs);
        backs.stream()
                .filter(back -> passed.contains(back.shard()))
                .forEach(back -> pool.add(new Moved(back.shard(), back.key(), -back.n())));
        state.examine(state.missing(owned, passed));
    }
}
