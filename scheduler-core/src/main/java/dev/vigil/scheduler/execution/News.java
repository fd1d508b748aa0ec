package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.OwnerReads.InboxRow;
import dev.vigil.scheduler.execution.OwnerReads.NewsFrom;
import dev.vigil.scheduler.execution.Upkeep.NewsRead;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.UUID;

/// What the inboxes of a loop's shards tell: of creation, where something came due earlier than was read up to, and
/// which dependents are to be looked at. For those who were told nothing, and for what was committed late.
///
/// A new owner reads all there is before the first news; what is in the inbox then is news to nobody.
///
/// Not for use by several threads.
final class News {
    /// Rounds between two removals of news that has been read.
    private static final int PRUNE_EVERY = 5;

    private final LoopState state;
    private final Dependencies dependencies;
    private int rounds;
    private boolean unread;
    private boolean unpruned;

    News(LoopState state, Dependencies dependencies) {
        this.state = state;
        this.dependencies = dependencies;
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
            if (!shard.newsSeen.contains(row.seq())) {
                take(shard, row);
            }
        }
        for (OwnedShard shard : state.shards.values()) {
            shard.newsFrom = now;
            shard.newsSeen.clear();
            shard.newsSeen.addAll(late);
        }
    }

    private void take(OwnedShard shard, InboxRow row) {
        Instant due = row.due();
        UUID dependent = row.ref();
        if (dependent != null) {
            dependencies.look(shard, dependent);
        } else if (due != null) {
            shard.lanes.rewindAll(row.lanes(), due);
            FireWork.lookBy(shard, due.minus(Lanes.LOOK_AHEAD));
        }
    }

    /// Once a second: removes now and then what has been read, and of a shard that has come what is left in it.
    void prune() {
        rounds++;
        if (rounds % PRUNE_EVERY == 0 && (unpruned || hasCome())) {
            unpruned = false;
            List<NewsRead> read = state.shards.values().stream()
                    .map(shard -> new NewsRead(shard.id, shard.newsGone, shard.newsFrom))
                    .toList();
            if (!read.isEmpty()) {
                state.truth.pruneNews(state.ownedAll(), read);
                state.shards.values().forEach(shard -> shard.newsGone = shard.newsFrom);
            }
        }
    }

    private boolean hasCome() {
        return state.shards.values().stream().anyMatch(shard -> shard.newsGone.equals(Snapshot.START));
    }

    private List<NewsFrom> from() {
        return state.shards.values().stream()
                .map(shard -> new NewsFrom(shard.id, shard.newsFrom))
                .toList();
    }
}
