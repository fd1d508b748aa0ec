package dev.vigil.agent.link;

import dev.vigil.protocol.link.AckRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// What the agent knows about one core: its connection, the next one that is being made, and when to try again.
/// Belongs to the link's thread.
final class CoreState {
    private static final long WAIT_MIN_NANOS = 100_000_000L;
    private static final long WAIT_MAX_NANOS = 5_000_000_000L;

    private final CoreAddress address;
    private final RandomGenerator jitter;
    private final List<AckRecord> acks = new ArrayList<>();
    private @Nullable CoreConnection active;
    private @Nullable CoreConnection next;
    private boolean dialing;
    private boolean refresh;
    private int failures;
    private long retryAt = System.nanoTime();

    CoreState(CoreAddress address, RandomGenerator jitter) {
        this.address = address;
        this.jitter = jitter;
    }

    CoreAddress address() {
        return address;
    }

    Optional<CoreConnection> active() {
        return Optional.ofNullable(active);
    }

    Optional<CoreConnection> next() {
        return Optional.ofNullable(next);
    }

    List<AckRecord> acks() {
        return acks;
    }

    /// A connection is missing or about to end, none is being made, and the time has come.
    boolean shouldDial() {
        boolean wanted = active == null || refresh;
        return wanted && next == null && !dialing && System.nanoTime() - retryAt >= 0;
    }

    void dialing() {
        dialing = true;
    }

    void dialed(CoreConnection connection) {
        dialing = false;
        next = connection;
    }

    void failed() {
        dialing = false;
        long wait = Math.min(WAIT_MAX_NANOS, WAIT_MIN_NANOS << Math.min(failures, 10));
        failures++;
        // Half to full wait: ten thousand workers of a restarted core must not come back in step.
        retryAt = System.nanoTime() + wait / 2 + jitter.nextLong(wait / 2 + 1);
    }

    /// The session ends soon: make the next connection while this one still works.
    void refresh() {
        refresh = true;
    }

    /// The next connection speaks from now on.
    ///
    /// @return the one that spoke until now
    Optional<CoreConnection> activate(CoreConnection connection) {
        Optional<CoreConnection> old = active();
        active = connection;
        next = null;
        refresh = false;
        failures = 0;
        return old;
    }

    /// Forgets a connection that ended.
    void lost(CoreConnection connection) {
        if (connection == active) {
            active = null;
            acks.clear();
            failed();
        } else if (connection == next) {
            next = null;
            failed();
        }
    }
}
