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

    private volatile long until;
    private volatile boolean held;

    /// A renewal that was sent at `sentAt` succeeded.
    void renewed(long sentAt) {
        until = sentAt + LENGTH.toNanos();
        held = true;
    }

    /// It was taken away, or is given up.
    void end() {
        held = false;
    }

    boolean mayAct(long now) {
        return held && until - now > 0;
    }
}
