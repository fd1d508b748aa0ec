package dev.vigil.bench;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.random.RandomGenerator;

/// `floor:owned`: the physical limit of the engine's design. Plain JDBC does the engine's row traffic on the engine's
/// tables and nothing else; creates share commits, shards are drained by one reader and one closer each. It is no
/// product: it forgets what it runs when it ends, and knows neither retries nor schedules.
final class FloorContestant implements Contestant {
    private static final int CREATORS = 2;
    private static final int DRAINS = Integer.getInteger("vigil.bench.drains", 2);
    private static final int COALESCED_MAX = 500;
    private static final int BULK = 1_000;

    private final BenchDatabase database;
    private final InstantSource clock;
    private final FloorRows rows;
    private final BlockingQueue<Connection> creators = new LinkedBlockingQueue<>();
    private final ConcurrentLinkedQueue<Waiting> waiting = new ConcurrentLinkedQueue<>();
    private final List<FloorDrain> drains = new ArrayList<>();

    FloorContestant(BenchDatabase database, InstantSource clock, RandomGenerator chance) {
        this.clock = clock;
        this.database = database;
        this.rows = new FloorRows(clock, chance);
    }

    private record Waiting(NoOp task, CompletableFuture<Boolean> stored) {}

    @Override
    public String version() {
        return "plain JDBC on the engine's tables";
    }

    @Override
    public Map<String, Object> config() {
        return Map.of("creators", CREATORS, "drains", DRAINS, "coalesced", COALESCED_MAX);
    }

    @Override
    public void install() throws Exception {
        database.install();
    }

    @Override
    public void open() throws SQLException {
        for (int i = 0; i < CREATORS; i++) {
            creators.add(database.connect());
        }
    }

    /// Whoever gets a connection stores for all who wait.
    @Override
    public void enqueue(NoOp task) throws SQLException, InterruptedException, ExecutionException {
        var own = new Waiting(task, new CompletableFuture<>());
        waiting.add(own);
        while (!own.stored.isDone()) {
            Connection connection = creators.poll();
            if (connection == null) {
                connection = creators.poll(1, TimeUnit.MILLISECONDS);
            }
            if (connection != null) {
                try {
                    storeWaiting(connection);
                } finally {
                    creators.add(connection);
                }
            }
        }
        own.stored.get();
    }

    private void storeWaiting(Connection connection) {
        var batch = new ArrayList<Waiting>();
        for (Waiting next = waiting.poll(); next != null; next = batch.size() < COALESCED_MAX ? waiting.poll() : null) {
            batch.add(next);
        }
        if (batch.isEmpty()) {
            return;
        }
        try {
            rows.create(connection, batch.stream().map(Waiting::task).toList());
            batch.forEach(one -> one.stored.complete(true));
        } catch (SQLException failure) {
            batch.forEach(one -> one.stored.completeExceptionally(failure));
        }
    }

    @Override
    public void enqueueAll(List<NoOp> tasks) throws Exception {
        try (ExecutorService callers = Executors.newFixedThreadPool(CREATORS)) {
            var parts = new ArrayList<Future<?>>();
            for (int first = 0; first < tasks.size(); first += BULK) {
                List<NoOp> part = tasks.subList(first, Math.min(tasks.size(), first + BULK));
                parts.add(callers.submit(() -> {
                    Connection connection = creators.take();
                    try {
                        rows.create(connection, part);
                    } finally {
                        creators.add(connection);
                    }
                    return part.size();
                }));
            }
            for (Future<?> part : parts) {
                part.get();
            }
        }
    }

    @Override
    public void preload(int n) throws SQLException, InterruptedException {
        Connection connection = creators.take();
        try {
            database.multiply(rows.model(connection), n - 1);
        } finally {
            creators.add(connection);
        }
    }

    @Override
    public void start(StartListener listener) {
        LongConsumer started = t0 -> listener.started(t0, Starts.micros(clock.instant()));
        for (int i = 0; i < DRAINS; i++) {
            drains.add(new FloorDrain(i * FloorRows.shards() / DRAINS, database, rows, started));
        }
    }

    @Override
    public void stop() throws InterruptedException {
        for (FloorDrain drain : drains) {
            drain.stop();
        }
        drains.clear();
    }

    @Override
    public long remaining() {
        return database.due();
    }

    @Override
    public int recur(int n, int periodSeconds) {
        return 0;
    }

    @Override
    public void close() {
        for (Connection connection = creators.poll(); connection != null; connection = creators.poll()) {
            try {
                connection.close();
            } catch (SQLException gone) {
                // It ends with this process.
            }
        }
    }
}
