package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.Adoption.Claim;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// PostgreSQL as cores share the shards among them there: who lives, and who owns what. Like [Truth], it is the
/// whole of what such decisions may ask, so that they run on a model too.
///
/// A method throws when the database fails; then [#close] ends what may still be at work. Used by one thread.
interface Cores extends AutoCloseable {
    /// Gives up what may still be at work: after a failure, and at the end. A later use begins anew.
    @Override
    void close();

    /// Enters a core, or enters it again after others took it for dead.
    ShardRows.Beat enter(UUID incarnation, String sessionUrl);

    /// Renews a core, and looks at all cores and shards; empty when others removed it.
    ///
    /// @param told of news that was over then nothing is said; null when all shards are to be taken to have some
    Optional<ShardRows.Beat> beat(UUID incarnation, @Nullable Snapshot told);

    /// Compares the cluster with the one on record, and raises all epochs when it is another one.
    boolean recognise(ShardRows.Cluster cluster);

    /// Takes shards that have no owner.
    List<Claim> claim(UUID incarnation, int atMost);

    /// Ends all database sessions of a core that is taken for dead.
    void endSessions(UUID dead);

    /// Removes a core whose beat still stands where it stood, and frees its shards under a new epoch.
    int bury(UUID dead, long beat);

    /// Removes a core that has let its shards go.
    void leave(UUID incarnation);
}
