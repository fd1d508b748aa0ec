package dev.vigil.api.web;

/// A bucket whose tokens come back one window after they were taken: so never more than `quota` calls lie within any
/// window, which a bucket that refills steadily cannot promise. Counts in 60 slots, so a token may come back one slot
/// late, never early.
///
/// Not thread-safe: callers hold its monitor.
final class RateWindow {
    private static final int SLOTS = 60;

    private final long slotNanos;
    private final int[] taken = new int[SLOTS + 1];
    private long newest;
    private int sum;

    RateWindow(long windowNanos, long now) {
        this.slotNanos = windowNanos / SLOTS;
        this.newest = now / slotNanos;
    }

    /// Takes one token.
    ///
    /// @return how many are left, or -1 when there was none
    int take(int quota, long now) {
        advance(now);
        if (sum >= quota) {
            return -1;
        }
        taken[Math.floorMod(newest, taken.length)]++;
        sum++;
        return quota - sum;
    }

    /// Seconds until a token comes back, at least 1.
    long secondsUntilFree(long now) {
        advance(now);
        for (long slot = newest - SLOTS; slot <= newest; slot++) {
            if (taken[Math.floorMod(slot, taken.length)] > 0) {
                long at = (slot + SLOTS + 1) * slotNanos;
                return Math.max(1, Math.ceilDiv(at - now, 1_000_000_000L));
            }
        }
        return 1;
    }

    /// Whether nothing was taken for a whole window.
    boolean isIdle(long now) {
        advance(now);
        return sum == 0;
    }

    private void advance(long now) {
        long slot = now / slotNanos;
        if (slot - newest > SLOTS) {
            java.util.Arrays.fill(taken, 0);
            sum = 0;
            newest = slot;
        }
        while (newest < slot) {
            newest++;
            int index = Math.floorMod(newest, taken.length);
            sum -= taken[index];
            taken[index] = 0;
        }
    }
}
