package dev.vigil.scheduler.execution;

import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Which transactions were over at a moment, as PostgreSQL's `pg_snapshot` has it: what they wrote is visible to every
/// later statement. A transaction that is held open for hours is one of those that run, and holds back nothing else.
///
/// @param next    the first that had not begun
/// @param running those before it that were not over
record Snapshot(long next, Set<Long> running) {
    /// Before any transaction.
    static final Snapshot START = new Snapshot(0, Set.of());

    /// Reads `xmin:xmax:xip_list`.
    static Snapshot of(String text) {
        String[] parts = text.split(":", -1);
        return new Snapshot(
                Long.parseLong(parts[1]),
                Stream.of(parts[2].split(",", -1))
                        .filter(xid -> !xid.isEmpty())
                        .map(Long::valueOf)
                        .collect(Collectors.toUnmodifiableSet()));
    }

    /// Whether this transaction was over.
    boolean sees(long xid) {
        return xid < next && !running.contains(xid);
    }

    /// The first that had not begun.
    String nextText() {
        return Long.toString(next);
    }

    /// Those that ran, with commas between.
    String runningText() {
        return running.stream().map(String::valueOf).collect(Collectors.joining(","));
    }
}
