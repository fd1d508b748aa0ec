package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.TaskFacts.WorkerNeed;
import dev.vigil.scheduler.task.Limited;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// How many executions may start in a time, of namespaces and handlers that are limited so. The database hands starts
/// out in blocks; each is used by a dispatch that commits before its time, or not at all. What a core does not use is
/// lost, and so is what it has in hand when it ends: there are never more starts than the limit says, and sometimes
/// fewer.
///
/// Not for use by several threads.
final class Rates {
    private final LoopState state;
    private final Map<Limited, Block> blocks = new HashMap<>();
    private final Map<Limited, Integer> wanted = new LinkedHashMap<>();
    private @Nullable Instant by;

    Rates(LoopState state) {
        this.state = state;
    }

    /// Starts that were handed out.
    ///
    /// @param came  how many
    /// @param until they are used, by the database's clock
    /// @param again when there may be more; null when all that was wished came
    record Handed(int came, Instant until, @Nullable Instant again) {}

    private static final class Block {
        int left;
        Instant until = Instant.EPOCH;
        /// Before that there are none.
        @Nullable Instant again;

        int left(Instant now) {
            return now.isBefore(until) ? left : 0;
        }
    }

    /// Takes starts for shards of a core.
    static Handed take(JdbcClient db, Limited key, int wish) {
        return db.sql("SELECT came, until, again FROM scheduler.take_starts(:namespace, :owner, :wish)")
                .param("namespace", key.namespace())
                .param("owner", key.id())
                .param("wish", wish)
                .query((row, index) -> {
                    OffsetDateTime again = row.getObject("again", OffsetDateTime.class);
                    return new Handed(
                            row.getInt("came"), DueRow.instant(row, "until"), again == null ? null : again.toInstant());
                })
                .single();
    }

    /// A dispatch is to be planned: those for whom there may be starts again are looked at.
    void begin(Instant now) {
        by = null;
        for (Map.Entry<Limited, Block> one : blocks.entrySet()) {
            Instant again = one.getValue().again;
            if (again != null && !again.isAfter(now)) {
                one.getValue().again = null;
                wake(one.getKey());
            }
        }
        blocks.values().removeIf(block -> block.again == null && block.left(now) == 0);
    }

    /// Limits have changed: what was said under the old ones, of starts in hand and of when there are more, is void.
    void forget() {
        blocks.keySet().forEach(this::wake);
        blocks.clear();
    }

    private void wake(Limited key) {
        state.blocked.removeIf(need -> state.limits().rates().of(need).contains(key));
    }

    /// Uses starts of all limits that a key is under, as many as each of them has; asks for more of the first that has
    /// too few.
    ///
    /// @return how many may be dispatched
    int use(WorkerNeed need, int wish, Instant now) {
        List<Limited> keys = state.limits().rates().of(need);
        int n = wish;
        for (Limited key : keys) {
            n = Math.min(n, block(key).left(now));
        }
        if (n < wish) {
            int open = n;
            if (keys.stream().allMatch(key -> block(key).again == null)) {
                keys.stream()
                        .filter(key -> block(key).left(now) == open)
                        .findFirst()
                        .ifPresent(key -> wanted.merge(key, wish - open, Integer::sum));
            }
        }
        for (Limited key : keys) {
            Block block = block(key);
            if (n > 0) {
                block.left -= n;
                by = Lanes.earlier(by, block.until);
            }
        }
        return n;
    }

    private Block block(Limited key) {
        return blocks.computeIfAbsent(key, any -> new Block());
    }

    /// Asks for what was wanted.
    ///
    /// @return whether any came
    boolean ask() {
        boolean came = false;
        for (Map.Entry<Limited, Integer> want : wanted.entrySet()) {
            Handed handed = state.truth.takeStarts(want.getKey(), want.getValue());
            Block block = block(want.getKey());
            block.left = handed.came();
            block.until = handed.until();
            block.again = handed.again();
            if (handed.came() > 0) {
                came = true;
                wake(want.getKey());
            }
        }
        wanted.clear();
        return came;
    }

    /// Until when what is planned must have committed; null when no start was used for it.
    @Nullable Instant by() {
        return by;
    }

    /// When there may be starts again for something that waits.
    @Nullable Instant nextAsk() {
        Instant next = null;
        for (Block block : blocks.values()) {
            if (block.again != null) {
                next = Lanes.earlier(next, block.again);
            }
        }
        return next;
    }
}
