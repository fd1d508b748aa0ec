package dev.vigil.scheduler.task;

import dev.vigil.scheduler.task.ShardHints.ShardHint;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/// The cores that live in this JVM: they are told without a network between. With one process for all services that is
/// every core.
public final class NearbyOwners {
    private static final List<Owner> OWNERS = new CopyOnWriteArrayList<>();

    private NearbyOwners() {}

    /// A core of this JVM.
    public interface Owner {
        /// Takes a hint. Returns at once.
        ///
        /// @return whether it owns the shard
        boolean tell(ShardHint hint);
    }

    /// A core begins to listen.
    public static void add(Owner owner) {
        OWNERS.add(owner);
    }

    /// A core ends.
    public static void remove(Owner owner) {
        OWNERS.remove(owner);
    }

    /// Tells those who are here.
    ///
    /// @return what nobody here owns
    public static List<ShardHint> tell(Collection<ShardHint> hints) {
        var left = new ArrayList<ShardHint>();
        for (ShardHint hint : hints) {
            boolean taken = false;
            for (Owner owner : OWNERS) {
                taken |= owner.tell(hint);
            }
            if (!taken) {
                left.add(hint);
            }
        }
        return left;
    }
}
