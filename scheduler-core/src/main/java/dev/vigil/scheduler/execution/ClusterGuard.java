package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.ShardRows.Cluster;
import org.jspecify.annotations.Nullable;

/// Which PostgreSQL cluster, in which timeline, this core has recognised. Connections to another one are not
/// used: after a failover epochs may have been lost, and are raised before anybody acts.
///
/// For use by many threads at once.
final class ClusterGuard {
    private volatile @Nullable Cluster recognised;

    /// The epochs of this cluster are in order.
    void recognised(Cluster cluster) {
        recognised = cluster;
    }

    /// Whether it is not the one that was recognised; the first one is another one, too.
    boolean isOther(Cluster cluster) {
        return !cluster.equals(recognised);
    }

    /// Whether one was recognised and it is not this one.
    boolean isUnrecognised(Cluster cluster) {
        Cluster current = recognised;
        return current != null && !current.equals(cluster);
    }
}
