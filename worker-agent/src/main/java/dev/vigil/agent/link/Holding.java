package dev.vigil.agent.link;

import dev.vigil.agent.handler.Attempt;
import dev.vigil.protocol.link.DispatchRecord;
import dev.vigil.protocol.link.Held;
import dev.vigil.protocol.link.ResultRecord;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// One execution that this worker holds, from its dispatch until its result is acknowledged. Belongs to the link's
/// thread.
final class Holding {
    private static final long SAYING_PATIENCE_NANOS = Duration.ofSeconds(5).toNanos();

    private final UUID execution;
    private final long fence;
    private final long takenAt = System.nanoTime();
    private UUID core;
    private Held.State state = Held.State.WAITING;
    private @Nullable Prepared prepared;
    private @Nullable Attempt attempt;
    private @Nullable Duration stopWithin;
    private @Nullable ResultRecord result;
    private @Nullable LogFeed feed;
    private long sentAt;
    private long endedAt;
    private boolean started;
    private boolean dropped;

    Holding(DispatchRecord dispatch, UUID core) {
        this.execution = dispatch.execution();
        this.fence = dispatch.fence();
        this.core = core;
    }

    UUID execution() {
        return execution;
    }

    long fence() {
        return fence;
    }

    /// The core that its results go to: the one that dispatched it, or the one that said `owned` last.
    UUID core() {
        return core;
    }

    void ownedBy(UUID owner) {
        core = owner;
    }

    Held.State state() {
        return state;
    }

    Held held() {
        return new Held(execution, fence, state);
    }

    /// How long this worker has had it.
    long nanosHeld() {
        return System.nanoTime() - takenAt;
    }

    void prepared(Prepared ready) {
        prepared = ready;
    }

    /// What to run, once: the plaintext is let go with it.
    Optional<Prepared> takePrepared() {
        Optional<Prepared> ready = Optional.ofNullable(prepared);
        prepared = null;
        return ready;
    }

    boolean isPrepared() {
        return prepared != null;
    }

    void running() {
        state = Held.State.RUNNING;
    }

    void attempt(Attempt running) {
        attempt = running;
        if (stopWithin != null) {
            running.cancel(stopWithin);
        }
    }

    /// Stops its attempt, or the one that is about to begin.
    void stop(Duration grace) {
        stopWithin = grace;
        if (attempt != null) {
            attempt.cancel(grace);
        }
    }

    /// What it says while it runs.
    void feed(LogFeed sayings) {
        feed = sayings;
    }

    Optional<LogFeed> feed() {
        return Optional.ofNullable(feed);
    }

    void started() {
        started = true;
    }

    boolean hasStarted() {
        return started;
    }

    long nanosSinceEnd() {
        return result == null ? 0 : System.nanoTime() - endedAt;
    }

    void ended(ResultRecord record) {
        endedAt = System.nanoTime();
        prepared = null;
        state = Held.State.ENDED;
        result = record;
        attempt = null;
    }

    Optional<ResultRecord> result() {
        return Optional.ofNullable(result);
    }

    void sent() {
        sentAt = System.nanoTime();
    }

    /// Not sent yet, or so long ago that the answer must be lost.
    boolean sendingDue(long patienceNanos) {
        return result != null && saidAll() && (sentAt == 0 || System.nanoTime() - sentAt > patienceNanos);
    }

    /// The end is told after all that was said before it, or after a while without the rest.
    private boolean saidAll() {
        if (feed == null || feed.isEmpty()) {
            return true;
        }
        if (nanosSinceEnd() < SAYING_PATIENCE_NANOS) {
            return false;
        }
        feed.drop();
        return true;
    }

    void sendAgain() {
        sentAt = 0;
    }

    /// Nobody wants its result any more.
    void drop() {
        dropped = true;
        stop(Duration.ZERO);
        if (feed != null) {
            feed.drop();
        }
    }

    boolean isDropped() {
        return dropped;
    }
}
