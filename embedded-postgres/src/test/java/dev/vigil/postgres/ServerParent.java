package dev.vigil.postgres;

import java.io.IOException;
import java.nio.file.Path;

/// A process of its own that starts a server and stays: what a test kills.
final class ServerParent {
    private ServerParent() {}

    /// Prints port and process number of the server, then waits until its input ends.
    public static void main(String[] args) throws IOException {
        var settings = PostgresSettings.in(Path.of(args[0])).withServerDir(Path.of(args[1]));
        try (EmbeddedPostgres server = EmbeddedPostgres.start(settings)) {
            System.out.println(server.port() + " " + server.processHandle().pid());
            while (System.in.read() >= 0) {
                // Nothing is ever written: this ends with the test.
            }
        }
    }
}
