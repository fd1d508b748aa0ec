package dev.vigil.scheduler.execution;

import java.time.Duration;

/// A core's right to act, by its own monotonic clock alone: 4 s from when it SENT its last successful renewal.
/// Others take over after 6 s without a beat, so when it may act nobody else does.
///
/// For use by many threads at once.
final class Tenure {
    /// How often it is renewed.
    static final Duration RENEWAL = Duration.ofSeconds(1);

    /// How long it lasts.
    static final Duration LENGTH = Duration.ofSeconds(4);

    /// How long after it sent its last successful renewal a core that has no database tells workers so, and they run
    /// on by its word. What hears no more of it is killed after [Orphans#OWNED_WITHIN]: together the grace of an
    /// orphan, so what a core vouches for never runs longer than that after its last sign of life in the database.
    static final Duration VOUCHES = Orphans.GRACE.minus(Orphans.OWNED_WITHIN);

    private volatile long renewedAt;
    private volatile boolean held;

    /// A renewal that was sent at `sentAt` succeeded.
    void renewed(long sentAt) {
        renewedAt = sentAt;
        held = true;
    }

    /// It was taken away, or is given up.
    void end() {
        held = false;
    }

    boolean mayAct(long now) {
        return held && now - renewedAt < LENGTH.toNanos();
    }

    /// Whether workers may run on by the word of this core that it has no database, with what it still holds.
    boolean vouches(long now) {
        return held && now - renewedAt < VOUCHES.toNanos();
    }
}
