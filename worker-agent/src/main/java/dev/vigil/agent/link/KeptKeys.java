package dev.vigil.agent.link;

import dev.vigil.protocol.link.DispatchRecord;
import dev.vigil.protocol.payload.TaskKey;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.UUID;
import java.util.function.LongSupplier;

/// Task keys that may be used again. Each ends 60 s after it was asked for, however often it is used, so that a worker
/// that lost its rights loses its keys. One that finds no room takes the place of the oldest.
///
/// Safe for use by several threads.
final class KeptKeys {
    static final Duration KEPT = Duration.ofSeconds(60);
    static final int MAX = 4_096;

    private final LongSupplier nanos;
    /// The oldest first.
    private final SequencedMap<Place, Kept> kept = new LinkedHashMap<>();

    private record Place(UUID task, int payloadVersion, UUID keyId) {
        static Place of(DispatchRecord dispatch) {
            return new Place(dispatch.task(), dispatch.payloadVersion(), dispatch.keyId());
        }
    }

    private record Kept(TaskKey key, long at) {}

    /// @param nanos a monotonic clock
    KeptKeys(LongSupplier nanos) {
        this.nanos = nanos;
    }

    /// The clock's time, to be taken before a key is asked for.
    long now() {
        return nanos.getAsLong();
    }

    synchronized Optional<TaskKey> find(DispatchRecord dispatch) {
        Kept found = kept.get(Place.of(dispatch));
        return found != null && isYoung(found) ? Optional.of(found.key()) : Optional.empty();
    }

    /// @param askedAt when it was asked for, so that it ends early rather than late
    synchronized void keep(DispatchRecord dispatch, TaskKey key, long askedAt) {
        kept.putLast(Place.of(dispatch), new Kept(key, askedAt));
        if (kept.size() > MAX) {
            kept.pollFirstEntry();
        }
    }

    /// Drops everything: a core or the API said that this worker is not admitted any more.
    synchronized void forget() {
        kept.clear();
    }

    /// Drops what is too old, so that no key outlives its minute because nobody asked for it.
    synchronized void sweep() {
        kept.values().removeIf(key -> !isYoung(key));
    }

    synchronized int size() {
        return kept.size();
    }

    private boolean isYoung(Kept key) {
        return nanos.getAsLong() - key.at() < KEPT.toNanos();
    }
}
