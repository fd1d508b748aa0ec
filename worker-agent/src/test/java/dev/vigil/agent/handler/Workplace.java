package dev.vigil.agent.handler;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// A worker for a test: handlers are written as text, then a real runner is opened over them.
final class Workplace implements AutoCloseable {
    static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final int SLOTS = 8;

    private final Runner runner;

    private Workplace(Runner runner) {
        this.runner = runner;
    }

    /// The folders of a worker that is not open yet.
    ///
    /// @param folder empty
    record Folders(Path folder) {
        Folders shell(String name, String isolation, String script) throws IOException {
            return handler(name, "isolation: " + isolation + "\ncommand: [/bin/sh, run]\n", script);
        }

        Folders python(String name, String isolation, String script) throws IOException {
            return handler(name, "isolation: " + isolation + "\ncommand: [/usr/bin/python3, -I, -S, run]\n", script);
        }

        /// @param yaml what `handler.yaml` says besides name and version
        Folders handler(String name, String yaml, String program) throws IOException {
            Path handler = Files.createDirectories(folder.resolve("handlers").resolve(name));
            Files.writeString(handler.resolve("handler.yaml"), "name: " + name + "\nversion: 1\n" + yaml);
            Files.writeString(handler.resolve("run"), program);
            return this;
        }

        Workplace open() throws IOException, HandlerUnreadableException {
            return open(false, Duration.ofSeconds(60), Duration.ofSeconds(120));
        }

        Workplace open(boolean demo, Duration ownedWithin, Duration orphanGrace)
                throws IOException, HandlerUnreadableException {
            Files.createDirectories(folder.resolve("handlers"));
            Runner runner = Runner.open(new RunnerSettings(
                    folder.resolve("state"),
                    List.of(folder.resolve("handlers")),
                    demo,
                    SLOTS,
                    false,
                    ownedWithin,
                    orphanGrace));
            assertThat(runner.sandbox().usable())
                    .as("this test needs a sandbox: %s", runner.sandbox().detail())
                    .isTrue();
            return new Workplace(runner);
        }
    }

    static Folders in(Path folder) {
        return new Folders(folder);
    }

    Runner runner() {
        return runner;
    }

    static ExecutionRequest request(String handler, String input) {
        return request(handler, input, TIMEOUT);
    }

    static ExecutionRequest request(String handler, String input, Duration timeout) {
        return new ExecutionRequest(
                UUID.randomUUID(),
                1,
                7,
                1,
                handler,
                input.getBytes(StandardCharsets.UTF_8),
                timeout,
                Instant.parse("2026-11-21T08:00:00Z"),
                Instant.parse("2026-11-21T08:15:00Z"),
                Map.of(),
                Mask.NONE);
    }

    Attempt start(String handler, String input) {
        return runner.run(request(handler, input), RunListener.NONE);
    }

    Outcome run(String handler, String input) {
        return outcome(start(handler, input));
    }

    Outcome run(ExecutionRequest request) {
        return outcome(runner.run(request, RunListener.NONE));
    }

    static Outcome outcome(Attempt attempt) {
        try {
            return attempt.outcome().get(60, TimeUnit.SECONDS);
        } catch (TimeoutException | InterruptedException | ExecutionException e) {
            throw new AssertionError("no outcome of " + attempt.request(), e);
        }
    }

    /// The output of an attempt that must succeed.
    String output(String handler, String input) {
        return done(run(handler, input));
    }

    static String done(Outcome outcome) {
        assertThat(outcome).as(described(outcome)).isInstanceOf(Outcome.Done.class);
        return new String(((Outcome.Done) outcome).output(), StandardCharsets.UTF_8);
    }

    static Outcome.Failed failed(Outcome outcome) {
        assertThat(outcome).as(described(outcome)).isInstanceOf(Outcome.Failed.class);
        return (Outcome.Failed) outcome;
    }

    static String code(Outcome outcome) {
        return failed(outcome).why().code();
    }

    private static String described(Outcome outcome) {
        return outcome instanceof Outcome.Failed failed
                ? failed.why().code() + ": " + failed.why().detail()
                : outcome.toString();
    }

    @Override
    public void close() {
        runner.close();
    }
}
