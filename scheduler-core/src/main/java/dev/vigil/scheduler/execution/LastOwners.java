package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.Adoption.Claim;
import dev.vigil.scheduler.execution.ShardRows.Polled;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;

/// Whose each shard was, and when that core was last seen to live: what it dispatched is waited for from then on, not
/// from when somebody else took the shard over. All of it goes by the beats in the database and by this core's own
/// monotonic clock, so a step of a wall clock, the database's included, gives nothing up too early.
///
/// Not for use by several threads.
final class LastOwners {
    /// A takeover raises the epoch twice: when the shard is freed, and when it is claimed.
    private static final long TAKEOVER = 2;

    private final BeatWatch beats;
    private final Map<Integer, Owner> owners = new HashMap<>();
    private int breaks;

    LastOwners(BeatWatch beats) {
        this.beats = beats;
    }

    private record Owner(long epoch, long lastLife) {}

    /// Takes a poll that the watch of beats has taken.
    ///
    /// @param me    this core, which is not watched
    /// @param rows of shards
    void poll(UUID me, List<Polled> rows) {
        if (breaks != beats.breaks()) {
            breaks = beats.breaks();
            owners.clear();
        }
        for (Polled row : rows) {
            int shard = Objects.requireNonNull(row.shard());
            UUID owner = row.owner();
            if (me.equals(owner)) {
                owners.remove(shard);
            } else if (owner != null) {
                owners.put(shard, new Owner(row.epoch(), beats.lastLife(owner)));
            }
        }
    }

    /// The claim, with when the shard's last owner was last seen to live, if it vanished and nobody has owned the shard
    /// since: the epoch says so.
    Claim complete(Claim claim) {
        Owner last = owners.get(claim.shard());
        if (last == null || !claim.orphaned() || claim.epoch() != last.epoch + TAKEOVER) {
            return claim;
        }
        return new Claim(claim.shard(), claim.epoch(), claim.changeSeq(), true, last.lastLife);
    }
}
