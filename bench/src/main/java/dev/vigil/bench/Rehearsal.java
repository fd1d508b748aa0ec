package dev.vigil.bench;

import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.EmbeddedPostgres;
import dev.vigil.postgres.Folders;
import dev.vigil.postgres.PostgresSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.locks.LockSupport;

/// What `vigil:core` is asked in the benchmark, gone through once on a PostgreSQL of its own: the launcher records the
/// start cache of `./vigil bench-peer` from it (JEP 514, JEP 515). A JVM with that cache knows which code is worth
/// compiling, which one that has run for a minute knows as well; nothing is in it but classes and profiles.
public final class Rehearsal {
    private static final Duration WITHIN = Duration.ofMinutes(1);
    private static final long POLL_NANOS = Duration.ofMillis(5).toNanos();
    private static final int DRAINS = 4;
    private static final int TASKS = 20_000;
    private static final int FEED_RATE = 400;
    private static final double SECONDS = 1.5;

    private final Contestant contestant;
    private final Starts starts = new Starts();
    private final Load load;

    private Rehearsal(Contestant contestant, InstantSource clock) {
        this.contestant = contestant;
        this.load = new Load(contestant, clock);
    }

    /// Ends this process when all has been gone through.
    ///
    /// @param args the folder of PostgreSQL's programs
    public static void main(String[] args) throws Exception {
        System.setProperty("logback.configurationFile", "bench-log.xml");
        InstantSource clock = InstantSource.system();
        Path folder = Files.createTempDirectory("vigil-rehearsal-");
        try (EmbeddedPostgres server = EmbeddedPostgres.start(
                        PostgresSettings.in(folder.resolve("postgres")).withServerDir(Path.of(args[0])));
                Contestant contestant = new CoreContestant(database(server), clock)) {
            new Rehearsal(contestant, clock).goThrough();
        } finally {
            Folders.delete(folder);
        }
        System.exit(0);
    }

    private static BenchDatabase database(EmbeddedPostgres server) {
        Credentials superuser = server.superuser("postgres");
        return new BenchDatabase(server.url("postgres"), "postgres", superuser.username(), superuser.password());
    }

    private void goThrough() throws Exception {
        contestant.install();
        contestant.open();
        for (int clients : new int[] {8, 1, 32}) {
            load.single(clients, SECONDS, true);
        }
        for (int i = 0; i < DRAINS; i++) {
            load.bulk(load.dues(TASKS, "now", 1, 0));
            execute(TASKS);
        }
        starts.reset();
        contestant.start(starts);
        load.feed(FEED_RATE, SECONDS);
        int delayed = (int) (FEED_RATE * SECONDS);
        load.bulk(load.dues(delayed, "spread", FEED_RATE, Duration.ofSeconds(1).toMillis()));
        awaitStarted(2 * delayed);
        contestant.stop();
    }

    private void execute(int n) throws Exception {
        starts.reset();
        contestant.start(starts);
        awaitStarted(n);
        contestant.stop();
    }

    private void awaitStarted(int n) {
        long until = System.nanoTime() + WITHIN.toNanos();
        while (starts.count() < n) {
            if (System.nanoTime() > until) {
                throw new IllegalStateException(starts.count() + " of " + n + " tasks have started after " + WITHIN);
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }
}
