package dev.vigil.scheduler.task;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// Chooses the shard of a new task: a slot of its namespace. Neighbours of one batch share a shard, so that
/// they share an inbox row and a dispatch; the next batch takes the next slot.
final class Placement {
    /// Neighbours in one shard.
    static final int RUN = 64;

    private static final long REFRESH = Duration.ofMinutes(1).toNanos();

    private final JdbcClient db;
    private final AtomicInteger turns = new AtomicInteger();
    private volatile @Nullable Known known;

    Placement(JdbcClient db) {
        this.db = db;
    }

    /// The shards of the next batch.
    Turn next() {
        return new Turn(known(), turns.getAndIncrement());
    }

    private Known known() {
        Known current = known;
        if (current == null || System.nanoTime() - current.readAt > REFRESH) {
            current = read();
            known = current;
        }
        return current;
    }

    private Known read() {
        int shards = db.sql("SELECT count(*) FROM scheduler.shard")
                .query(Integer.class)
                .single();
        if (shards == 0) {
            throw new IllegalStateException("scheduler.shard is empty: the schema is not ready; let a service with"
                    + " migration rights start first");
        }
        var fanOut = new HashMap<Integer, Integer>();
        db.sql("SELECT namespace, slots FROM scheduler.fan_out")
                .query((row, index) -> fanOut.put(row.getInt("namespace"), row.getInt("slots")))
                .list();
        return new Known(shards, Map.copyOf(fanOut), System.nanoTime());
    }

    /// One batch.
    record Turn(Known known, int turn) {
        /// The shard of the `index`-th task of the batch.
        int shard(int namespace, int index) {
            int slots = known.fanOut.getOrDefault(namespace, known.shards);
            int slot = Math.floorMod(turn + index / RUN, slots);
            // Namespaces begin at shards far apart.
            int start = (namespace * 0x9e3779b9) >>> 8;
            return Math.floorMod(start + slot, known.shards);
        }
    }

    private record Known(int shards, Map<Integer, Integer> fanOut, long readAt) {}
}
