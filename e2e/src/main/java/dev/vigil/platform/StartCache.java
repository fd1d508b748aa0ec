package dev.vigil.platform;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The flags of a JVM that this one starts, and its start cache (JEP 514: classes and profiles of a training run).
///
/// The launcher script names flags and folder by two system properties; without them, as in tests, there are none.
/// A JVM that cannot use its cache says so on its log and starts without.
final class StartCache {
    /// A file of JVM flags, see `e2e/java.args`.
    static final String FLAGS = "vigil.java-args";

    /// Folder of the caches, one for each kind of process.
    static final String FOLDER = "vigil.start-cache";

    /// Set in a training run: caches are written instead of read.
    static final String TRAINING = "vigil.start-cache.training";

    private StartCache() {}

    static List<String> flags(String name) {
        var flags = new ArrayList<String>();
        String file = System.getProperty(FLAGS);
        if (file != null) {
            flags.add("@" + file);
        }
        String folder = System.getProperty(FOLDER);
        if (folder != null) {
            Path cache = Path.of(folder, name + ".aot");
            if (training()) {
                flags.add("-XX:AOTCacheOutput=" + cache);
                flags.add("-D" + TRAINING + "=true");
            } else if (Files.exists(cache)) {
                flags.add("-XX:AOTCache=" + cache);
            }
        }
        return flags;
    }

    /// Whether this is a training run: then each JVM may take its time at the end, to write its cache.
    static boolean training() {
        return Boolean.getBoolean(TRAINING);
    }
}
