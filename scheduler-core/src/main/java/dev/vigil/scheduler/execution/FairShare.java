package dev.vigil.scheduler.execution;

/// How many shards a core should own. Shards move by release only: nobody takes from a living owner.
final class FairShare {
    private FairShare() {}

    /// How many shards without an owner to take now.
    ///
    /// @param shards of the database
    /// @param cores  alive, oneself included
    /// @param mine   owned now
    static int toTake(int shards, int cores, int mine) {
        return Math.max(0, ceiling(shards, cores) - mine);
    }

    /// How many to release, so that every other living core can have its share.
    static int toRelease(int shards, int cores, int mine) {
        return Math.max(0, mine - ceiling(shards, cores));
    }

    private static int ceiling(int shards, int cores) {
        return Math.ceilDiv(shards, Math.max(1, cores));
    }
}
