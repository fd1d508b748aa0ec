package dev.vigil.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One service as a process of its own, which is started, killed, stopped and told to end by faults.
final class Node {
    /// The kernel ends a child with the *thread* that forked it, so one thread that lives as long as this JVM forks
    /// all.
    private static final ExecutorService FORKING = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("forking").factory());

    private static final Duration ORDERLY_END = Duration.ofSeconds(45);

    private final Plan plan;
    private @Nullable Process process;
    private final List<Long> deaths = new ArrayList<>();
    private final List<Runs.Pause> pauses = new ArrayList<>();
    private @Nullable Long stoppedAt;
    private Instant startedAt = Instant.MAX;

    Node(Plan plan) {
        this.plan = plan;
    }

    /// How it is started.
    ///
    /// @param name        `core-2`
    /// @param main        its main class
    /// @param settings    `vigil.*`, as arguments
    /// @param prefix      command that starts it somewhere else: in a network namespace
    /// @param environment beside this process's own
    /// @param log         takes what it prints
    record Plan(
            String name,
            Class<?> main,
            Map<String, String> settings,
            List<String> prefix,
            Map<String, String> environment,
            Path log) {
        @Override
        public String toString() {
            return name;
        }
    }

    String name() {
        return plan.name;
    }

    /// Starts it unless it runs.
    void start() {
        if (!isAlive()) {
            startedAt = Instant.now();
            process = CompletableFuture.supplyAsync(this::fork, FORKING).join();
        }
    }

    private Process fork() {
        var builder = new ProcessBuilder(command())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(plan.log.toFile()));
        builder.environment().putAll(plan.environment);
        try {
            return builder.start();
        } catch (IOException failure) {
            throw new UncheckedIOException(plan.name + " not started", failure);
        }
    }

    private List<String> command() {
        var command = new ArrayList<>(plan.prefix);
        command.addAll(List.of("setpriv", "--pdeathsig", "KILL"));
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("@" + Path.of("java.args").toAbsolutePath());
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-Xmx256m", "-cp", System.getProperty("java.class.path")));
        command.add(plan.main.getName());
        plan.settings.forEach((name, value) -> command.add("--" + name + "=" + value));
        return command;
    }

    boolean isAlive() {
        return process != null && process.isAlive();
    }

    private Process running() {
        Process current = process;
        if (current == null) {
            throw new IllegalStateException(plan.name + " was never started");
        }
        return current;
    }

    /// When it was started last.
    Instant startedAt() {
        return startedAt;
    }

    /// SIGKILL; returns when it is gone.
    void kill() {
        running().destroyForcibly().onExit().join();
        gone();
    }

    /// SIGTERM; returns when it is gone.
    void end() throws InterruptedException {
        Process ending = running();
        ending.destroy();
        if (!ending.waitFor(ORDERLY_END.toMillis(), TimeUnit.MILLISECONDS)) {
            kill();
            throw new Broken(plan.name + " did not end within " + ORDERLY_END.toSeconds() + " s of SIGTERM");
        }
        gone();
    }

    /// SIGSTOP: it does nothing and knows nothing of it.
    void stop() {
        stoppedAt = System.nanoTime();
        Shell.must("kill -STOP " + running().pid());
    }

    /// SIGCONT: it goes on as if no time had passed.
    void wake() {
        Shell.must("kill -CONT " + running().pid());
        awake();
    }

    private void awake() {
        if (stoppedAt != null) {
            pauses.add(new Runs.Pause(stoppedAt, System.nanoTime()));
            stoppedAt = null;
        }
    }

    private void gone() {
        awake();
        deaths.add(System.nanoTime());
    }

    /// When it ended, each time; monotonic.
    List<Long> deaths() {
        return List.copyOf(deaths);
    }

    /// When it stood still.
    List<Runs.Pause> pauses() {
        return List.copyOf(pauses);
    }
}
