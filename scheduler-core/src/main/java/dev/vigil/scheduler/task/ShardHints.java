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
    /// @param shard the shard
    /// @param lanes bit set of the lanes in which something was created; 0 for a command or a schedule
    /// @param due   when the first of it is due; null for a command
    record ShardHint(int shard, long lanes, @Nullable Instant due) {
        /// There is a command.
        public static ShardHint command(int shard) {
            return new ShardHint(shard, 0, null);
        }
    }
}
