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
import java.util.function.Supplier;

/// A contestant of the peers' benchmark: `./vigil bench-peer core`. Speaks on standard input and output.
public final class BenchPeer {
    private BenchPeer() {}

    /// Serves one contestant until it is told to exit.
    ///
    /// @param args `core` or `floor`
    public static void main(String[] args) throws IOException {
        InstantSource clock = InstantSource.system();
        serve(() -> contestant(args.length == 1 ? args[0] : "", clock), clock);
    }

    /// Speaks for a contestant until it is told to exit, and ends this process.
    ///
    /// @param made makes it, once nothing but the conversation writes to standard output
    public static void serve(Supplier<Contestant> made, InstantSource clock) throws IOException {
        System.setProperty("logback.configurationFile", "bench-log.xml");
        var out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (Contestant contestant = made.get()) {
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
