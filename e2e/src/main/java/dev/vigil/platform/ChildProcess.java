package dev.vigil.platform;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/// Keeps one service running in a JVM of its own: starts it again when it ends, with a growing pause.
///
/// The child reads its settings from its standard input and ends when that ends, which it does with this process.
final class ChildProcess implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(ChildProcess.class.getName());
    private static final Duration SHORTEST_PAUSE = Duration.ofMillis(500);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);
    private static final Duration STABLE_AFTER = Duration.ofSeconds(30);
    private static final Duration END_WITHIN = Duration.ofSeconds(StartCache.training() ? 120 : 15);

    private final ChildSettings settings;
    private final BiConsumer<String, ProcessHandle> started;
    private final Thread keeper;
    private volatile @Nullable Process process;
    private volatile boolean closing;

    /// @param started told name and process of each start
    ChildProcess(ChildSettings settings, BiConsumer<String, ProcessHandle> started) {
        this.settings = settings;
        this.started = started;
        this.keeper = Thread.ofPlatform().daemon().name(settings.name()).start(this::keepRunning);
    }

    /// The process that runs now; empty between an end and the next start.
    Optional<ProcessHandle> handle() {
        return Optional.ofNullable(process).map(Process::toHandle).filter(ProcessHandle::isAlive);
    }

    private void keepRunning() {
        Duration pause = SHORTEST_PAUSE;
        try {
            while (!closing) {
                long start = System.nanoTime();
                String end = runToItsEnd();
                if (closing) {
                    return;
                }
                LOG.log(
                        System.Logger.Level.WARNING,
                        "event=child_ended name={0} end=\"{1}\" it is started again",
                        settings.name(),
                        end);
                boolean stable = System.nanoTime() - start > STABLE_AFTER.toNanos();
                pause = stable ? SHORTEST_PAUSE : longer(pause);
                TimeUnit.MILLISECONDS.sleep(pause.toMillis());
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    /// @return how it ended, for people
    private String runToItsEnd() throws InterruptedException {
        try {
            return "status " + run();
        } catch (IOException failure) {
            // It could not be started, or ended before it had read its settings. That may pass, as lack of memory does.
            return failure.toString();
        }
    }

    private static Duration longer(Duration pause) {
        Duration twice = pause.multipliedBy(2);
        return twice.compareTo(LONGEST_PAUSE) < 0 ? twice : LONGEST_PAUSE;
    }

    private int run() throws IOException, InterruptedException {
        Process child = new ProcessBuilder(command(settings))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(settings.log().toFile()))
                .start();
        process = child;
        started.accept(settings.name(), child.toHandle());
        try (OutputStream input = child.getOutputStream()) {
            Child.send(settings.settings(), input);
            return child.waitFor();
        }
    }

    private static List<String> command(ChildSettings settings) {
        var command = new ArrayList<String>();
        // A session of its own: Ctrl-C in a terminal reaches the launcher only, which stops the parts in order.
        if (Files.isExecutable(Path.of("/usr/bin/setsid"))) {
            command.add("/usr/bin/setsid");
        }
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(StartCache.flags(settings.service().startCache()));
        command.addAll(List.of("-Xmx" + settings.heapMegabytes() + "m", "-cp", System.getProperty("java.class.path")));
        command.addAll(List.of(Child.class.getName(), settings.service().name()));
        return command;
    }

    /// Tells the child to end, without waiting: its input ends.
    void tellToEnd() {
        closing = true;
        Process child = process;
        if (child != null) {
            try {
                child.getOutputStream().close();
            } catch (IOException broken) {
                // Then the child is gone, or cannot be told and is killed by close().
                LOG.log(System.Logger.Level.DEBUG, "input of " + settings.name() + " was closed", broken);
            }
        }
    }

    /// Ends the child; kills it when that takes too long.
    @Override
    public void close() {
        tellToEnd();
        Process child = process;
        try {
            if (child != null && !child.waitFor(END_WITHIN.toMillis(), TimeUnit.MILLISECONDS)) {
                child.destroyForcibly().waitFor();
            }
            keeper.interrupt();
            keeper.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
