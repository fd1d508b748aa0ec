package dev.vigil.bench;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;

/// Creates and drains without a pause, while one session sits idle in a transaction over an old snapshot and another
/// holds a transaction id: what vacuum may not clear away then must not slow the engine. `./vigil bench-soak` prints a
/// line for each period: tasks a second, and how large the queue has grown.
public final class Soak {
    private static final PrintStream OUT =
            new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);

    private static final int BATCH = 2_000;
    /// Most tasks that wait.
    private static final int BACKLOG = 10_000;
    private static final int PERIODS = 20;
    private static final long POLL_NANOS = Duration.ofMillis(1).toNanos();
    private static final int MINUTES_MAX = 24 * 60;

    private final BenchDatabase database;
    private final Contestant contestant;
    private final Starts starts = new Starts();
    private final Load load;
    private long created;

    private Soak(BenchDatabase database, Contestant contestant, InstantSource clock) {
        this.database = database;
        this.contestant = contestant;
        this.load = new Load(contestant, clock);
    }

    /// Runs for some minutes on the empty database of the environment ([BenchDatabase#of]) and ends this process.
    ///
    /// @param args how many minutes, 1 to 1440
    public static void main(String[] args) throws Exception {
        System.setProperty("logback.configurationFile", "bench-log.xml");
        int minutes = minutes(args);
        InstantSource clock = InstantSource.system();
        BenchDatabase database = BenchDatabase.of(System.getenv());
        try (Contestant contestant = new CoreContestant(database, clock)) {
            contestant.install();
            contestant.open();
            try (Connection reader = database.connect();
                    Connection writer = database.connect()) {
                hold(reader, "SELECT count(*) FROM scheduler.execution");
                hold(writer, "SELECT pg_current_xact_id()");
                new Soak(database, contestant, clock).run(Duration.ofMinutes(minutes));
            }
        }
        System.exit(0);
    }

    private static int minutes(String[] args) {
        int minutes = args.length == 1 && args[0].matches("[0-9]{1,4}") ? Integer.parseInt(args[0]) : 0;
        if (minutes < 1 || minutes > MINUTES_MAX) {
            throw new IllegalArgumentException("name for how many minutes to run, 1 to " + MINUTES_MAX);
        }
        return minutes;
    }

    private static void hold(Connection connection, String query) throws SQLException {
        connection.setAutoCommit(false);
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        try (Statement statement = connection.createStatement()) {
            statement.execute(query);
        }
    }

    private void run(Duration all) throws Exception {
        OUT.printf(
                Locale.ROOT,
                "%8s %10s %14s %14s %14s%n",
                "seconds",
                "tasks/s",
                "execution MB",
                "dispatch MB",
                "inbox MB");
        contestant.start(starts);
        long period = all.toNanos() / PERIODS;
        var rates = new ArrayList<Double>();
        for (int i = 0; i < PERIODS; i++) {
            rates.add(period(period));
            Sizes sizes = sizes();
            OUT.printf(
                    Locale.ROOT,
                    "%8d %10.0f %14.1f %14.1f %14.1f%n",
                    (i + 1) * period / 1_000_000_000,
                    rates.getLast(),
                    sizes.execution(),
                    sizes.dispatch(),
                    sizes.inbox());
        }
        contestant.stop();
        OUT.printf(
                Locale.ROOT,
                "the last quarter ran at %.2f of the first%n",
                mean(rates.subList(PERIODS * 3 / 4, PERIODS)) / mean(rates.subList(0, PERIODS / 4)));
    }

    private double period(long nanos) throws Exception {
        long begin = System.nanoTime();
        int before = starts.count();
        while (System.nanoTime() - begin < nanos) {
            if (created - starts.count() < BACKLOG) {
                load.bulk(load.dues(BATCH, "now", 1, 0));
                created += BATCH;
            } else {
                LockSupport.parkNanos(POLL_NANOS);
            }
        }
        return (starts.count() - before) * 1e9 / (System.nanoTime() - begin);
    }

    /// Of tables with their indexes, in MB.
    private record Sizes(double execution, double dispatch, double inbox) {}

    private Sizes sizes() {
        return database.everything()
                .sql("""
                        SELECT pg_total_relation_size('scheduler.execution') / 1e6::float8 AS execution,
                               pg_total_relation_size('scheduler.dispatch') / 1e6::float8 AS dispatch,
                               pg_total_relation_size('scheduler.inbox') / 1e6::float8 AS inbox
                        """)
                .query((row, _) -> new Sizes(row.getDouble(1), row.getDouble(2), row.getDouble(3)))
                .single();
    }

    private static double mean(List<Double> values) {
        return values.stream().mapToDouble(value -> value).average().orElse(0);
    }
}
