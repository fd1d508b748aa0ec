package dev.vigil.bench;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.util.ArrayDeque;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A reader and a closer, each with a connection. The reader takes a shard that no other reader has, in whatever
/// process, goes through what is due in it and commits dispatches; the closer ends them.
final class FloorDrain {
    private static final Logger LOG = LoggerFactory.getLogger(FloorDrain.class);
    private static final int BATCH = 500;
    private static final int BATCHES_AHEAD = 8;
    private static final long IDLE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private final BenchDatabase database;
    private final FloorRows rows;
    private final LongConsumer started;
    private final BlockingQueue<Batch> dispatched = new ArrayBlockingQueue<>(BATCHES_AHEAD);
    private final ArrayDeque<Held> held = new ArrayDeque<>();
    private final Thread reader;
    private final Thread closer;
    private volatile boolean stopping;

    FloorDrain(int first, BenchDatabase database, FloorRows rows, LongConsumer started) {
        this.database = database;
        this.rows = rows;
        this.started = started;
        this.reader = Thread.ofPlatform().start(() -> read(first));
        this.closer = Thread.ofPlatform().start(this::close);
    }

    /// A dispatched batch; without ids it says that a shard has no more.
    private record Batch(int shard, long n, List<UUID> ids, AtomicBoolean closed) {}

    /// A shard that this reader has, and whether all that it dispatched of it is over.
    private record Held(int shard, AtomicBoolean closed) {}

    private void read(int first) {
        try (Connection connection = database.connect()) {
            for (int turn = first; !stopping; turn++) {
                int shard = turn % FloorRows.shards();
                if (!take(connection, shard)) {
                    LockSupport.parkNanos(IDLE_NANOS / FloorRows.shards());
                    continue;
                }
                int found = drain(connection, shard);
                giveBack(connection, false);
                if (found == 0) {
                    LockSupport.parkNanos(IDLE_NANOS / FloorRows.shards());
                }
            }
            dispatched.put(new Batch(-1, 0, List.of(), new AtomicBoolean()));
            giveBack(connection, true);
        } catch (SQLException failure) {
            LOG.error("event=floor_reader_ended", failure);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean take(Connection connection, int shard) throws SQLException {
        if (held.stream().anyMatch(one -> one.shard == shard)) {
            giveBack(connection, false);
            return false;
        }
        try (var statement = connection.prepareStatement("SELECT pg_try_advisory_lock(?)")) {
            statement.setLong(1, shard);
            try (var row = statement.executeQuery()) {
                return row.next() && row.getBoolean(1);
            }
        }
    }

    private void giveBack(Connection connection, boolean all) throws SQLException {
        while (!held.isEmpty() && (all || held.getFirst().closed.get())) {
            Held one = held.removeFirst();
            while (!one.closed.get() && closer.isAlive()) {
                LockSupport.parkNanos(IDLE_NANOS);
            }
            try (var statement = connection.prepareStatement("SELECT pg_advisory_unlock(?)")) {
                statement.setLong(1, one.shard);
                statement.executeQuery().close();
            }
        }
    }

    private int drain(Connection connection, int shard) throws SQLException, InterruptedException {
        Timestamp at = new Timestamp(0);
        UUID behind = new UUID(0, 0);
        var closed = new AtomicBoolean();
        held.add(new Held(shard, closed));
        int found = 0;
        while (!stopping) {
            FloorRows.Page page = rows.scan(connection, new FloorRows.Cursor(shard, at, behind), BATCH);
            if (page.ids().isEmpty()) {
                break;
            }
            long n = System.nanoTime();
            rows.dispatch(connection, shard, n, page.ids());
            page.t0Micros().forEach(started::accept);
            dispatched.put(new Batch(shard, n, page.ids(), closed));
            at = page.lastDue();
            behind = page.ids().getLast();
            found += page.ids().size();
        }
        dispatched.put(new Batch(shard, 0, List.of(), closed));
        return found;
    }

    private void close() {
        try (Connection connection = database.connect()) {
            for (Batch batch = dispatched.take(); batch.shard >= 0; batch = dispatched.take()) {
                if (batch.ids.isEmpty()) {
                    batch.closed.set(true);
                } else {
                    rows.close(connection, batch.shard, batch.n, batch.ids);
                }
            }
        } catch (SQLException failure) {
            LOG.error("event=floor_closer_ended", failure);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    void stop() throws InterruptedException {
        stopping = true;
        reader.join();
        closer.join();
    }
}
