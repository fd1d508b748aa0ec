package dev.vigil.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Wall clocks of nodes that can be put wrong, by libfaketime. The monotonic clock stays what it is, as when somebody
/// steps a machine's clock.
///
/// @param library where it is
/// @param folder  holds a file for each clock
record Clocks(Path library, Path folder) {
    /// Whose clock can be put wrong; the others run without the library, which makes asking for the time slow.
    static final List<String> MOVABLE = List.of("worker-1", "core-1");

    private static final String LIBRARY = "faketime/libfaketimeMT.so.1";

    /// Where the machine has the library; empty otherwise.
    static Optional<Clocks> in(Path folder) {
        return Stream.of("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/lib64")
                .map(place -> Path.of(place, LIBRARY))
                .filter(Files::exists)
                .findFirst()
                .map(library -> new Clocks(library, folder));
    }

    /// What a process needs whose clock is to be put wrong later. It looks at most a second late.
    Map<String, String> environment(String node) {
        put(node, Duration.ZERO);
        return Map.of(
                "LD_PRELOAD", library.toString(),
                "FAKETIME_TIMESTAMP_FILE", file(node).toString(),
                "FAKETIME_CACHE_DURATION", "1",
                "FAKETIME_DONT_FAKE_MONOTONIC", "1",
                // Otherwise each timed wait of a JVM ends at once, and its threads spin.
                "FAKETIME_FORCE_MONOTONIC_FIX", "0");
    }

    /// Puts a clock so far ahead, or behind.
    void put(String node, Duration ahead) {
        try {
            Path fresh = folder.resolve(node + ".clock.new");
            long seconds = ahead.toSeconds();
            Files.writeString(fresh, (seconds < 0 ? "" : "+") + seconds + "s\n");
            Files.move(fresh, file(node), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private Path file(String node) {
        return folder.resolve(node + ".clock");
    }
}
