package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.PermitRows.Limited;
import dev.vigil.scheduler.execution.PermitRows.Moved;
import dev.vigil.scheduler.execution.PermitRows.Standing;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/// What the shards of a loop hold of their owners' limits of running executions. A permit belongs to a shard, and each
/// open dispatch of a limited owner holds one, so the sum over all shards is never above the limit, whoever owns them.
/// Permits move in blocks, when an owner wants more and once a second when they are not needed: no row changes with
/// each execution. Whoever has no limit costs nothing here.
///
/// Not for use by several threads.
final class Permits {
    /// How long after a refusal the same shard asks again.
    private static final long ASK_AGAIN = Duration.ofSeconds(1).toNanos();

    private final LoopState state;
    private final Map<ShardKey, Hold> holds = new HashMap<>();
    private final Map<ShardKey, Integer> wanted = new HashMap<>();

    Permits(LoopState state) {
        this.state = state;
    }

    private record ShardKey(int shard, Limited key) {}

    private static final class Hold {
        int held;
        int used;
        /// While others have none, it uses only so many.
        int cap = Integer.MAX_VALUE;
        long refusedAt;
        boolean refused;
    }

    /// How many executions of a limited owner a shard may dispatch now; asks for more when there are none.
    int room(int shard, Limited key, int wish) {
        var place = new ShardKey(shard, key);
        Hold hold = holds.computeIfAbsent(place, p -> new Hold());
        int room = Math.min(hold.held, hold.cap) - hold.used;
        if (room < 1) {
            wanted.put(place, wish);
        }
        return Math.max(0, room);
    }

    /// A dispatch takes a permit, also one that another owner of the shard has made.
    void take(Due due) {
        if (due.task().limited()) {
            holds.computeIfAbsent(place(due), p -> new Hold()).used++;
        }
    }

    /// A dispatch is over.
    void giveBack(Due due) {
        Hold hold = due.task().limited() ? holds.get(place(due)) : null;
        if (hold != null) {
            hold.used--;
            OwnedShard shard = state.shards.get(due.shard());
            if (shard != null) {
                shard.starved.remove(due.task().key());
            }
        }
    }

    void lose(int shard) {
        holds.keySet().removeIf(place -> place.shard == shard);
        wanted.keySet().removeIf(place -> place.shard == shard);
    }

    /// Takes over what is stored for these shards. What is dispatched in them is counted by [#take].
    void adopt(Collection<Integer> shards) {
        state.truth
                .permits(shards)
                .forEach(row ->
                        holds.computeIfAbsent(new ShardKey(row.shard(), row.key()), p -> new Hold()).held = row.n());
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
        for (Map.Entry<Limited, List<Moved>> ask : asks.entrySet()) {
            came |= ask(ask.getKey(), ask.getValue(), now);
        }
        return came;
    }

    private boolean ask(Limited key, List<Moved> moves, long now) {
        Owned owned = state.owned(moves.stream().map(Moved::shard).toList());
        Map<Integer, Integer> came = state.truth.takePermits(owned, key, moves);
        for (Moved move : moves) {
            Hold hold = holds.get(new ShardKey(move.shard(), key));
            int n = came.getOrDefault(move.shard(), 0);
            if (hold != null) {
                hold.held += n;
                hold.refused = n == 0;
                hold.refusedAt = now;
            }
        }
        state.examine(state.missing(owned, came.keySet()));
        moves.forEach(move -> clear(move.shard(), key));
        return came.values().stream().anyMatch(n -> n > 0);
    }

    private void clear(int shard, Limited key) {
        OwnedShard owned = state.shards.get(shard);
        Hold hold = holds.get(new ShardKey(shard, key));
        if (owned != null && hold != null && hold.held > hold.used) {
            owned.starved.removeIf(need -> key.owner().equals(need.limited()));
        }
    }

    /// Gives back what is not used, and uses less for a while when others have none: once a second, while something
    /// limited is at work here.
    void settle() {
        state.shards.values().forEach(shard -> shard.starved.clear());
        if (holds.isEmpty()) {
            return;
        }
        Set<Limited> keys = new HashSet<>();
        holds.forEach((place, hold) -> keys.add(place.key));
        Map<Limited, Standing> standings = state.truth.standings(keys);
        for (Limited key : keys) {
            settle(key, standings.getOrDefault(key, Standing.NONE));
        }
        holds.values().removeIf(hold -> hold.held == 0 && hold.used == 0);
    }

    private void settle(Limited key, Standing standing) {
        var backs = new ArrayList<Moved>();
        holds.forEach((place, hold) -> {
            if (place.key.equals(key) && hold.held > hold.used) {
                backs.add(new Moved(place.shard, key, hold.held - hold.used));
            }
        });
        if (!backs.isEmpty()) {
            Owned owned = state.owned(backs.stream().map(Moved::shard).toList());
            Set<Integer> passed = state.truth.givePermitsBack(owned, key, backs);
            backs.stream().filter(back -> passed.contains(back.shard())).forEach(back -> {
                Hold hold = holds.get(new ShardKey(back.shard(), key));
                if (hold != null) {
                    hold.held -= back.n();
                }
            });
            state.examine(state.missing(owned, passed));
        }
        holds.forEach((place, hold) -> {
            if (place.key.equals(key)) {
                hold.cap = cap(hold.held, standing);
            }
        });
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

    private static ShardKey place(Due due) {
        UUID owner = due.task().owner();
        return new ShardKey(due.shard(), new Limited(due.task().namespace(), owner));
    }
}
