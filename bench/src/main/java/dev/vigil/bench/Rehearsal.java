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

/// What a contestant is asked in the benchmark, gone through once on a PostgreSQL of its own: the launcher records the
/// start caches of `./vigil bench-peer` from it (JEP 514, JEP 515). A JVM with that cache knows which code is worth
/// compiling, which one that has run for a minute knows as well; nothing is in it but classes and profiles.
public final class Rehearsal {
    private static final Duration WITHIN = Duration.ofMinutes(1);
    private static final long POLL_NANOS = Duration.ofMillis(5).toNanos();
    private static final int DRAINS = 4;
    private static final int TASKS_OF_CORE = 20_000;
    private static final int FEED_RATE = 400;
    private static final double SECONDS = 1.5;

    private final Contestant contestant;
    private final int tasks;
    private final Starts starts = new Starts();
    private final Load load;

    private Rehearsal(Contestant contestant, int tasks, InstantSource clock) {
        this.contestant = contestant;
        this.tasks = tasks;
        this.load = new Load(contestant, clock);
    }

    /// Makes a contestant.
    public interface Cast {
        /// On that server, whose files lie in a folder where there is room for more.
        Contestant on(EmbeddedPostgres server, Path folder);
    }

    /// Ends this process when all that `vigil:core` is asked has been gone through.
    ///
    /// @param args the folder of PostgreSQL's programs
    public static void main(String[] args) throws Exception {
        InstantSource clock = InstantSource.system();
        hold(Path.of(args[0]), TASKS_OF_CORE, (server, _) -> new CoreContestant(database(server), clock));
    }

    /// Ends this process when all that a contestant is asked has been gone through.
    ///
    /// @param programs the folder of PostgreSQL's programs
    /// @param tasks    how many are executed, some times over
    public static void hold(Path programs, int tasks, Cast cast) throws Exception {
        System.setProperty("logback.configurationFile", "bench-log.xml");
        Path folder = Files.createTempDirectory("vigil-rehearsal-");
        try (EmbeddedPostgres server = EmbeddedPostgres.start(
                        PostgresSettings.in(folder.resolve("postgres")).withServerDir(programs));
                Contestant contestant = cast.on(server, folder)) {
            new Rehearsal(contestant, tasks, InstantSource.system()).goThrough();
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
            load.bulk(load.dues(tasks, "now", 1, 0));
            execute(tasks);
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
