package dev.vigil.platform;

import dev.vigil.postgres.Folders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// One start and stop of a platform in a temporary folder, run by the launcher once after a build: the JVM records what
/// was loaded and writes its start cache when it ends.
final class Train {
    private Train() {}

    /// Starts, stops, leaves nothing behind.
    ///
    /// @param args the folder of PostgreSQL's programs
    static void main(String[] args) throws IOException {
        int status = 1;
        Path folder = Files.createTempDirectory("vigil-training-");
        try {
            var data = new DataFolder(folder.resolve("data"));
            System.setProperty("logging.file.name", data.log().toString());
            System.setProperty("logging.threshold.console", "OFF");
            var settings = new PlatformSettings(data.dir(), 0, null, false, 1, 1, true, null, Path.of(args[0]));
            Platform.start(settings, System.out::println).close();
            status = 0;
        } catch (RuntimeException failure) {
            // Spring swallows what reaches the top of the main thread once it has logged it.
            System.err.println("start cache not made: " + Dev.rootCause(failure));
        } finally {
            Folders.delete(folder);
        }
        System.exit(status);
    }
}
