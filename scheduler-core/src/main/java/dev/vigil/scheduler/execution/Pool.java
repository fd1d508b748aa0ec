package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.PermitRows.Moved;
import dev.vigil.scheduler.execution.PermitRows.Standing;
import dev.vigil.scheduler.execution.PermitRows.Taken;
import dev.vigil.scheduler.task.Limited;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/// What the shards of a loop hold of one limit. As long as there are enough each shard has its own; once the loop was
/// refused, what one of them does not use is any other's.
///
/// Not for use by several threads.
final class Pool {
    /// How long after a refusal the loop asks again, unless it sees before that there are some.
    private static final long ASK_AGAIN = Duration.ofMillis(900).toNanos();

    final Limited key;
    /// By shard. Sorted, so that a run of the simulator can be played again.
    private final SortedMap<Integer, Hold> holds = new TreeMap<>();
    /// It uses no more.
    private int cap = Integer.MAX_VALUE;
    private boolean refused;
    private long askAt;
    /// When this loop was last refused, by the database's clock.
    private @Nullable Instant refusedAt;
    private boolean othersWait;

    Pool(Limited key) {
        this.key = key;
    }

    /// What one shard has of it.
    static final class Hold {
        int held;
        int used;
        /// Of a dispatch that is not committed yet.
        int planned;

        private int free() {
            return held - used - planned;
        }

        private int idle() {
            return Math.max(0, held - used);
        }
    }

    Hold hold(int shard) {
        return holds.computeIfAbsent(shard, id -> new Hold());
    }

    void lose(int shard) {
        holds.remove(shard);
    }

    /// Something that used one is over.
    void release(int shard) {
        Hold hold = holds.get(shard);
        if (hold != null) {
            hold.used--;
        }
    }

    private int sum(ToIntFunction<Hold> part) {
        return holds.values().stream().mapToInt(part).sum();
    }

    /// How many more may be dispatched in a shard.
    int room(int shard) {
        if (refused) {
            return room();
        }
        int free = hold(shard).free();
        return cap == Integer.MAX_VALUE ? free : Math.min(free, room());
    }

    private int room() {
        return Math.min(sum(hold -> hold.held), cap) - sum(hold -> hold.used + hold.planned);
    }

    /// What is planned has become something that runs, or nothing.
    void forgetPlans() {
        holds.values().forEach(hold -> hold.planned = 0);
    }

    /// What is counted anew has not been counted.
    void forgetUsed() {
        holds.values().forEach(hold -> hold.used = 0);
    }

    /// Whether a shard has what is planned in it.
    boolean covers(int shard) {
        return hold(shard).free() >= 0;
    }

    /// What has to change hands so that each shard has what is planned in it; less than zero of those that give.
    /// Where a shard was lost meanwhile there may be less than is planned.
    List<Moved> shifts() {
        var shifts = new ArrayList<Moved>();
        int[] free = {sum(hold -> Math.max(0, hold.free()))};
        int[] lacking = {0};
        holds.forEach((shard, hold) -> {
            int n = hold.planned > 0 ? Math.min(free[0] - lacking[0], -hold.free()) : 0;
            if (n > 0) {
                shifts.add(new Moved(shard, key, n));
                lacking[0] += n;
            }
        });
        holds.forEach((shard, hold) -> {
            int n = Math.min(lacking[0], hold.free());
            if (n > 0) {
                shifts.add(new Moved(shard, key, -n));
                lacking[0] -= n;
            }
        });
        return shifts;
    }

    /// These came, or went where there are less than zero.
    void add(Moved moved) {
        hold(moved.shard()).held += moved.n();
    }

    /// Whether it makes sense to ask for more.
    boolean mayAsk(long now) {
        return cap == Integer.MAX_VALUE && (!refused || now - askAt >= 0);
    }

    /// It was asked for more.
    ///
    /// @return whether more may be dispatched now
    boolean asked(int wish, Taken taken, long now) {
        refused = taken.sum() < wish;
        refusedAt = taken.deniedAt() == null ? refusedAt : taken.deniedAt();
        askAt = now + ASK_AGAIN;
        return !refused || room() > 0;
    }

    /// Whether somebody gets more as soon as somebody else needs less: here or elsewhere.
    boolean isTight() {
        return refused || (othersWait && sum(Hold::idle) > 0);
    }

    /// What is seen of the limit between two asks.
    ///
    /// @return whether there are some for which this loop waits
    boolean look(Standing standing, long now) {
        see(standing);
        boolean there = refused && standing.taken() < standing.most();
        askAt = there ? now : askAt;
        return there;
    }

    private void see(Standing standing) {
        Instant denied = standing.deniedAt();
        othersWait = denied != null && !denied.equals(refusedAt);
    }

    /// What is to go back because others wait for it.
    ///
    /// @param awaited whether something of this loop waits for it too, and may use as much as the loop may use
    List<Moved> surplus(boolean awaited) {
        int idle = sum(Hold::idle);
        int most = !othersWait ? 0 : awaited ? Math.max(0, sum(hold -> hold.held) - cap) : idle;
        return idle(Math.min(idle, most));
    }

    /// What is not used.
    List<Moved> idle() {
        return idle(Integer.MAX_VALUE);
    }

    private List<Moved> idle(int most) {
        var idle = new ArrayList<Moved>();
        int left = most;
        for (var one : holds.entrySet()) {
            int n = Math.min(left, one.getValue().idle());
            if (n > 0) {
                idle.add(new Moved(one.getKey(), key, n));
                left -= n;
            }
        }
        return idle;
    }

    /// What runs and has no permit: it ran before there was a limit.
    List<Moved> lacks() {
        var lacks = new ArrayList<Moved>();
        holds.forEach((shard, hold) -> {
            if (hold.held < hold.used) {
                lacks.add(new Moved(shard, key, hold.used - hold.held));
            }
        });
        return lacks;
    }

    /// Once a second: above the limit, which was lowered, every loop uses its part of the new one; while others wait,
    /// half of what it has, so that what becomes free goes round.
    void settle(Standing standing, long now) {
        see(standing);
        // Nobody has asked for a while.
        refused = refused && now - askAt < ASK_AGAIN;
        int held = sum(hold -> hold.held);
        if (held == 0) {
            cap = Integer.MAX_VALUE;
        } else if (standing.taken() > standing.most()) {
            cap = (int) ((long) held * standing.most() / standing.taken());
        } else {
            cap = othersWait ? held / 2 : Integer.MAX_VALUE;
        }
        holds.values().removeIf(hold -> hold.held == 0 && hold.used == 0);
    }

    /// Whether nothing is to be remembered of it.
    boolean isEmpty() {
        return holds.isEmpty() && !refused;
    }
}
