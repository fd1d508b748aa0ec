package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.OwnerReads.InboxRow;
import dev.vigil.scheduler.execution.OwnerReads.NewsFrom;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;

/// What the inboxes of a loop's shards tell of creation: where something came due earlier than was read up to. For
/// those who were told nothing, and for what was committed late.
///
/// Not for use by several threads.
final class News {
    /// Rounds between two removals of news that has been read.
    private static final int PRUNE_EVERY = 5;

    private final LoopState state;
    private int rounds;
    private boolean unread;
    private boolean unpruned;

    News(LoopState state) {
        this.state = state;
    }

    /// Somebody has seen some.
    void come() {
        unread = true;
    }

    boolean isUnread() {
        return unread;
    }

    /// Reads what has come since it was last read.
    void read() {
        unpruned |= unread;
        unread = false;
        if (state.shards.isEmpty()) {
            return;
        }
        Snapshot now = state.truth.snapshot();
        var late = new HashSet<Long>();
        for (InboxRow row : state.truth.news(from())) {
            OwnedShard shard = state.shard(row.shard());
            if (!now.sees(row.xid())) {
                late.add(row.seq());
            }
            if (!shard.newsSeen.contains(row.seq()) && row.due() != null) {
                take(shard, row.lanes(), row.due());
            }
        }
        for (OwnedShard shard : state.shards.values()) {
            shard.newsFrom = now;
            shard.newsSeen.clear();
            shard.newsSeen.addAll(late);
        }
    }

    private static void take(OwnedShard shard, long lanes, Instant due) {
        shard.lanes.rewindAll(lanes, due);
        FireWork.lookBy(shard, due.minus(Lanes.LOOK_AHEAD));
    }

    /// Once a second: removes now and then what has been read.
    void prune() {
        rounds++;
        if (unpruned && rounds % PRUNE_EVERY == 0) {
            unpruned = false;
            if (!state.shards.isEmpty()) {
                state.truth.pruneNews(state.ownedAll(), from());
            }
        }
    }

    private List<NewsFrom> from() {
        return state.shards.values().stream()
                .map(shard -> new NewsFrom(shard.id, shard.newsFrom))
                .toList();
    }
}
