package dev.vigil.audit.log;

import java.time.Instant;
import org.jspecify.annotations.NonNull;

/// Where an event stands in a list: lists are in the order of time, and of the log where times are the same.
///
/// @param atMicros when it happened, in microseconds since 1970
/// @param seq      its index in the log
public record Place(long atMicros, long seq) implements Comparable<Place> {
    /// Microseconds since 1970, cut.
    public static long micros(Instant at) {
        return Math.addExact(Math.multiplyExact(at.getEpochSecond(), 1_000_000), at.getNano() / 1_000);
    }

    @Override
    public int compareTo(@NonNull Place other) {
        int time = Long.compare(atMicros, other.atMicros);
        return time != 0 ? time : Long.compare(seq, other.seq);
    }
}
