package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.task.Columns;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// The shards a statement is about, with what must still be true of them. It becomes the first part of every
/// statement of an owner: the shard rows, locked FOR SHARE where they are its own. All else depends on that
/// part, so a statement of an owner that has been replaced changes nothing, even when it began before it was.
///
/// @param incarnation this core
/// @param shards      as this core believes to own them
record Owned(UUID incarnation, List<Shard> shards) {
    /// @param epoch     in which it is owned
    /// @param changeSeq the last command that is carried out; only dispatch looks at it
    record Shard(int id, long epoch, long changeSeq) {}

    Map<String, Object> parameters() {
        var columns = new Columns<>(shards)
                .add("myShards", new Integer[0], Shard::id)
                .add("myEpochs", new Long[0], Shard::epoch)
                .add("myChanges", new Long[0], Shard::changeSeq);
        columns.arrays().put("me", incarnation);
        return columns.arrays();
    }
}
