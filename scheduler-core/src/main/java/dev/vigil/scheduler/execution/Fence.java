package dev.vigil.scheduler.execution;

/// The fence of a dispatch: epoch x 2^32 + n, which grows with each dispatch and each owner and stays below
/// 2^53, so that every JSON reader holds it.
final class Fence {
    /// Bits of `n`.
    private static final int BITS = 32;

    private Fence() {}

    static long of(long epoch, long n) {
        if (epoch < 0 || epoch >= 1L << 21 || n < 0 || n >= 1L << BITS) {
            throw new IllegalArgumentException("epoch " + epoch + " and dispatch " + n
                    + " make no fence below 2^53; the shard has changed hands or dispatched too often");
        }
        return (epoch << BITS) + n;
    }
}
