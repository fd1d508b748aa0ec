package dev.vigil.scheduler.task;

import java.util.Collection;

/// Tells the owner of a shard, after a commit, that there is something for it. A hint may be lost, doubled or false:
/// the owner reads the truth in the database, this only spares it the wait.
public interface ShardHints {
    /// Something changed in these shards. Returns at once.
    void changed(Collection<ShardHint> hints);

    /// What changed in one shard.
    ///
    /// @param shard   the shard
    /// @param command whether there is a command; else something was created
    record ShardHint(int shard, boolean command) {}
}
