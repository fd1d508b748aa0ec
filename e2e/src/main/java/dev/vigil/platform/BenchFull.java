package dev.vigil.platform;

import dev.vigil.bench.BenchDatabase;
import dev.vigil.bench.BenchPeer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;

/// `./vigil bench-peer full`: the whole of Vigil as a contestant of the peers' benchmark (docs/how-to/measure.md).
final class BenchFull {
    private BenchFull() {}

    /// Serves until it is told to exit.
    static void main(String[] args) throws IOException {
        // Before the first logger: standard output belongs to the conversation.
        System.setProperty("logging.config", "classpath:bench-log.xml");
        InstantSource clock = InstantSource.system();
        BenchDatabase database = BenchDatabase.of(System.getenv());
        OtherServer server = OtherServer.of(System.getenv(), database.name());
        Path usual =
                Path.of(System.getProperty("java.io.tmpdir"), "vigil-bench-" + server.port() + "-" + database.name());
        Path data = Path.of(System.getProperty("vigil.bench.data", usual.toString()));
        BenchPeer.serve(() -> new FullContestant(new DataFolder(data), server, database, clock), clock);
    }
}
