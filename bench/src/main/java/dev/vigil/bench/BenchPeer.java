package dev.vigil.bench;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.InstantSource;

/// A contestant of the peers' benchmark: `./vigil bench-peer core`. Speaks on standard input and output.
public final class BenchPeer {
    private BenchPeer() {}

    /// Serves one contestant until it is told to exit.
    ///
    /// @param args `core` or `floor`
    public static void main(String[] args) throws IOException {
        System.setProperty("logback.configurationFile", "bench-log.xml");
        var out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
        InstantSource clock = InstantSource.system();
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (Contestant contestant = contestant(args.length == 1 ? args[0] : "", clock)) {
            new Conversation(contestant, clock).run(in, out);
        }
        System.exit(0);
    }

    private static Contestant contestant(String name, InstantSource clock) {
        BenchDatabase database = BenchDatabase.of(System.getenv());
        return switch (name) {
            case "core" -> new CoreContestant(database, clock);
            case "floor" -> new FloorContestant(database, clock, new SecureRandom());
            default -> throw new IllegalArgumentException("there is no contestant \"" + name + "\"; use core or floor");
        };
    }
}
