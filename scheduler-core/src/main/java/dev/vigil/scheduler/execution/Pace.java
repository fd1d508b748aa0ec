package dev.vigil.scheduler.execution;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// How often a core beats: once a second, and for a while ten times as often when shards or cores come or go, so that
/// each core soon has its share.
///
/// For use by many threads at once.
final class Pace {
    private static final Duration STEADY = Duration.ofSeconds(1);
    private static final Duration HURRIED = Duration.ofMillis(100);
    private static final Duration HURRY = Duration.ofSeconds(2);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    // Guarded by the lock.
    private boolean stopped;
    private boolean hurried;
    private long hurriedAt;

    /// Something moved.
    void hurry() {
        lock.lock();
        try {
            hurried = true;
            hurriedAt = System.nanoTime();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void stop() {
        lock.lock();
        try {
            stopped = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Waits until the next beat is due.
    ///
    /// @return false when there is none
    boolean rest() throws InterruptedException {
        long from = System.nanoTime();
        lock.lock();
        try {
            long left = left(from);
            while (!stopped && left > 0) {
                changed.await(left, TimeUnit.NANOSECONDS);
                left = left(from);
            }
            return !stopped;
        } finally {
            lock.unlock();
        }
    }

    private long left(long from) {
        long now = System.nanoTime();
        hurried = hurried && now - hurriedAt < HURRY.toNanos();
        return from + (hurried ? HURRIED : STEADY).toNanos() - now;
    }
}
