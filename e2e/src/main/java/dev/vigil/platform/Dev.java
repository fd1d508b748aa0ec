package dev.vigil.platform;

import dev.vigil.postgres.PostgresStartException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/// `./vigil dev`: starts a platform, says how to reach it, and runs until it is stopped.
final class Dev {
    private static final int BAD_USAGE = 2;

    private final PlatformSettings settings;
    private final DataFolder folder;
    private @Nullable Platform platform;
    private final long begin = System.nanoTime();
    private boolean stopping;

    private Dev(PlatformSettings settings) {
        this.settings = settings;
        this.folder = new DataFolder(settings.data());
    }

    /// Runs until the process is told to end.
    ///
    /// @param args the default data folder, the folder of PostgreSQL's programs, then the options of `dev`
    static void main(String[] args) throws InterruptedException {
        PlatformSettings settings;
        try {
            List<String> options = List.of(args).subList(2, args.length);
            settings = DevArguments.parse(options, Path.of(args[0]), Path.of(args[1]));
        } catch (IllegalArgumentException refused) {
            System.err.println("vigil dev: " + refused.getMessage());
            System.exit(BAD_USAGE);
            return;
        }
        var dev = new Dev(settings);
        Runtime.getRuntime().addShutdownHook(new Thread(dev::stop, "vigil-stop"));
        if (!dev.start()) {
            System.exit(1);
        }
        new CountDownLatch(1).await();
    }

    private boolean start() {
        // Before the first logger: the console is for a person, the log file has the rest.
        System.setProperty("logging.file.name", folder.log().toString());
        System.setProperty("logging.threshold.console", "OFF");
        try {
            say("Vigil in " + folder.dir());
            Platform started = Platform.start(settings, this::sayStands);
            return publish(started);
        } catch (PlatformStartException | PostgresStartException refused) {
            System.err.println("  ✘ " + refused.getMessage());
        } catch (RuntimeException | IOException failure) {
            System.err.println("  ✘ " + rootCause(failure) + "\n    More is in " + folder.log());
            System.getLogger(Dev.class.getName()).log(System.Logger.Level.ERROR, "event=dev_not_started", failure);
        }
        return false;
    }

    /// The frameworks wrap what went wrong many times.
    static Throwable rootCause(Throwable failure) {
        Throwable cause = failure.getCause();
        return cause == null ? failure : rootCause(cause);
    }

    private synchronized boolean publish(Platform started) throws IOException {
        if (stopping) {
            started.close();
            return false;
        }
        platform = started;
        folder.writeReady(started.ready());
        sayReady(started.ready());
        return true;
    }

    private synchronized void stop() {
        stopping = true;
        if (platform != null) {
            say("\nStopping.");
            removeReady();
            platform.close();
        }
    }

    private void sayStands(String part) {
        double seconds = (System.nanoTime() - begin) / 1e9;
        say("  ✔ %-14s %5.1f s".formatted(part, seconds));
    }

    private void removeReady() {
        try {
            folder.removeReady();
        } catch (IOException failure) {
            say("  " + folder.ready() + " could not be removed: " + failure);
        }
    }

    private void sayReady(Ready ready) {
        var lines = new ArrayList<String>();
        lines.add("Vigil is ready. This is a platform for development; it listens on this machine only.");
        lines.add("");
        lines.add("  API       " + ready.url());
        lines.add(
                "  Admin     " + ready.admin().username() + "  " + ready.admin().password());
        lines.add("  Client    " + ready.client().clientId() + "  "
                + ready.client().clientSecret());
        lines.add("  Data      " + folder.dir() + "  (all of this is in ready.json, the log in vigil.log)");
        lines.add("");
        lines.add("  Stop: Ctrl-C, or ./vigil stop --data " + folder.dir());
        int width = lines.stream().mapToInt(String::length).max().orElse(0);
        String edge = "─".repeat(width + 2);
        say("\n┌" + edge + "┐");
        lines.forEach(line -> say("│ " + line + " ".repeat(width - line.length()) + " │"));
        say("└" + edge + "┘");
    }

    private static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
