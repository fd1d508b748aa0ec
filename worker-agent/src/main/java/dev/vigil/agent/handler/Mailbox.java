package dev.vigil.agent.handler;

import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Events for one reader. What a handler sends waits until there is room, so a flood stops at the handler; what the
/// agent says to itself always gets in.
final class Mailbox<E> {
    private final int roomFor;
    private final ArrayDeque<E> events = new ArrayDeque<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private boolean closed;

    Mailbox(int roomFor) {
        this.roomFor = roomFor;
    }

    /// Waits for room.
    ///
    /// @return false when nobody reads any more
    boolean put(E event) throws InterruptedException {
        lock.lock();
        try {
            while (events.size() >= roomFor && !closed) {
                changed.await();
            }
            return add(event);
        } finally {
            lock.unlock();
        }
    }

    /// Never waits.
    boolean force(E event) {
        lock.lock();
        try {
            return add(event);
        } finally {
            lock.unlock();
        }
    }

    private boolean add(E event) {
        if (closed) {
            return false;
        }
        events.add(event);
        changed.signalAll();
        return true;
    }

    /// Waits for an event.
    ///
    /// @return null when nothing came in time
    @Nullable E poll(long nanos) throws InterruptedException {
        long left = nanos;
        lock.lock();
        try {
            while (events.isEmpty() && left > 0) {
                left = changed.awaitNanos(left);
            }
            E event = events.poll();
            changed.signalAll();
            return event;
        } finally {
            lock.unlock();
        }
    }

    boolean isEmpty() {
        lock.lock();
        try {
            return events.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    /// Nothing gets in from now on, and nobody waits.
    void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
