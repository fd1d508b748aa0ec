package dev.vigil.scheduler.execution;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;

/// Which cores have died, seen by another one: their beat stood still for 6 s of the watcher's own monotonic
/// clock, over polls without a break. A break (the database was away, the watcher was stopped) begins the count
/// anew, so neither an outage nor a step of a clock makes anybody dead.
///
/// Not for use by several threads.
final class BeatWatch {
    /// How long a beat must stand still.
    static final Duration PATIENCE = Duration.ofSeconds(6);

    /// Longer than that between two polls is a break.
    static final Duration BREAK = Duration.ofSeconds(2);

    private final Map<UUID, Seen> seen = new HashMap<>();
    private long lastPoll;
    private boolean polled;
    private int breaks;

    /// Takes a poll.
    ///
    /// @param now        monotonic nanoseconds, taken before the poll was sent
    /// @param answeredAt monotonic nanoseconds, taken after its answer came
    /// @param beats      of all cores but one's own
    /// @return those that are dead
    Set<UUID> poll(long now, long answeredAt, Map<UUID, Long> beats) {
        if (polled && now - lastPoll > BREAK.toNanos()) {
            seen.clear();
            breaks++;
        }
        polled = true;
        lastPoll = now;
        seen.keySet().retainAll(beats.keySet());
        var dead = new HashSet<UUID>();
        beats.forEach((core, beat) -> {
            Seen before = seen.get(core);
            if (before == null || before.beat != beat) {
                seen.put(core, new Seen(beat, now, answeredAt));
            } else if (now - before.since >= PATIENCE.toNanos()) {
                dead.add(core);
            }
        });
        return dead;
    }

    /// A time at which a core had certainly sent the newest of its beats that was seen: its last sign of life when it
    /// is dead. Only for cores of the last poll.
    ///
    /// @return monotonic nanoseconds
    long lastLife(UUID core) {
        return Objects.requireNonNull(seen.get(core)).sentBefore;
    }

    /// How often the polls broke off: what was seen before the last break tells nothing of what happened in it.
    int breaks() {
        return breaks;
    }

    private record Seen(long beat, long since, long sentBefore) {}
}
