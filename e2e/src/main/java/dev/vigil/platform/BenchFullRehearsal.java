package dev.vigil.platform;

import dev.vigil.bench.BenchDatabase;
import dev.vigil.bench.Rehearsal;
import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.EmbeddedPostgres;
import java.nio.file.Path;
import java.time.InstantSource;

/// What `vigil:full` is asked in the benchmark, gone through once: the launcher records the start caches of its process
/// and of its worker's from it.
final class BenchFullRehearsal {
    private static final int TASKS = 5_000;
    private static final String DATABASE = "bench";

    private BenchFullRehearsal() {}

    /// Ends this process when all has been gone through.
    ///
    /// @param args the folder of PostgreSQL's programs
    static void main(String[] args) throws Exception {
        System.setProperty("logging.config", "classpath:bench-log.xml");
        Rehearsal.hold(Path.of(args[0]), TASKS, BenchFullRehearsal::contestant);
    }

    private static FullContestant contestant(EmbeddedPostgres server, Path folder) {
        Credentials superuser = server.superuser(DATABASE);
        return new FullContestant(
                new DataFolder(folder.resolve("data")),
                new OtherServer(server.host(), server.port(), DATABASE, superuser.username(), superuser.password()),
                new BenchDatabase(server.url(DATABASE), DATABASE, superuser.username(), superuser.password()),
                InstantSource.system());
    }
}
