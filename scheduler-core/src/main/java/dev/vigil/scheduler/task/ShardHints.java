package dev.vigil.scheduler.task;

import java.time.Instant;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/// Tells the owner of a shard, after a commit, that there is something for it. A hint may be lost, doubled or
/// false: the owner reads the truth in the database, this only spares it the wait.
public interface ShardHints {
    /// Something changed in these shards. Returns at once.
    void changed(Collection<ShardHint> hints);

    /// What changed in one shard.
    ///
    /// @param shard     the shard
    /// @param lanes     bit set of the lanes in which something was created
    /// @param due       when the first of what was created is due; null when nothing was
    /// @param schedules whether schedules are among it
    /// @param commands  whether there is a command
    record ShardHint(int shard, long lanes, @Nullable Instant due, boolean schedules, boolean commands) {
        /// There is a command.
        public static ShardHint command(int shard) {
            return new ShardHint(shard, 0, null, false, true);
        }

        /// Something was created.
        ///
        /// @param lanes 0 for a schedule
        public static ShardHint created(int shard, long lanes, Instant due) {
            return new ShardHint(shard, lanes, due, lanes == 0, false);
        }

        /// What two hints about the same shard say together.
        public ShardHint and(ShardHint other) {
            return new ShardHint(
                    shard,
                    lanes | other.lanes,
                    earlier(due, other.due),
                    schedules || other.schedules,
                    commands || other.commands);
        }

        private static @Nullable Instant earlier(@Nullable Instant a, @Nullable Instant b) {
            return a == null || (b != null && b.isBefore(a)) ? b : a;
        }
    }
}
