package dev.vigil.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.agent.handler.RunListener;
import dev.vigil.agent.handler.RunListener.LogStream;
import dev.vigil.link.EchoRunner.EchoAttempt;
import dev.vigil.protocol.payload.LogChunk;
import dev.vigil.protocol.payload.LogLine;
import dev.vigil.protocol.payload.Purpose;
import dev.vigil.protocol.payload.SealBrokenException;
import dev.vigil.scheduler.execution.Dispatch;
import dev.vigil.scheduler.execution.Link;
import dev.vigil.scheduler.execution.Saying;
import dev.vigil.scheduler.worker.TestCore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Progress and log lines from a real agent to a real core.
class SayingTest {
    @TempDir
    private Path folder;

    private TestVault vault;
    private TestCore core;

    @BeforeEach
    void start() throws IOException {
        vault = new TestVault();
        core = new TestCore(vault.authority);
        core.engine.ownsAll = true;
        core.engine.onEnded = (worker, ends) -> core.link.settle(
                worker,
                ends.stream()
                        .map(end -> new Link.Settled(
                                end.running().execution(), end.running().fence(), true))
                        .toList());
        vault.cores.add(core);
    }

    @AfterEach
    void stop() {
        vault.close();
    }

    private Dispatch send() {
        Dispatch dispatch = vault.dispatch(TestVault.text("{}"));
        Link.Credits credits = await().atMost(Duration.ofSeconds(15))
                .until(() -> core.link.take(1, "demo.echo", 1), Optional::isPresent)
                .orElseThrow();
        core.link.send(credits.worker(), List.of(dispatch));
        return dispatch;
    }

    private static EchoAttempt attempt(TestAgent agent, Dispatch dispatch) {
        return await().until(
                        () -> agent.runner.started.stream()
                                .filter(one -> one.request().execution().equals(dispatch.execution()))
                                .findFirst(),
                        Optional::isPresent)
                .orElseThrow();
    }

    private static void say(EchoAttempt attempt, String line) {
        RunListener listener = attempt.listener();
        listener.log(attempt.request().execution(), LogStream.STDOUT, line.getBytes(StandardCharsets.UTF_8));
    }

    /// The chunks of an execution that have arrived, opened.
    private List<LogChunk> chunks(UUID execution) {
        var chunks = new ArrayList<LogChunk>();
        for (Saying saying : core.engine.said) {
            if (saying instanceof Saying.Lines lines
                    && lines.running().execution().equals(execution)) {
                try {
                    LogChunk chunk = LogChunk.of(vault.open(Purpose.LOG, execution, lines.sealed()));
                    assertThat(chunk.firstLine()).isEqualTo(lines.line());
                    assertThat(chunk.lines()).hasSize(lines.lines());
                    assertThat(chunk.fence()).isEqualTo(lines.running().fence());
                    chunks.add(chunk);
                } catch (SealBrokenException e) {
                    throw new AssertionError(e);
                }
            }
        }
        return chunks;
    }

    private boolean hasEnded(Dispatch dispatch) {
        return core.engine.ended.stream()
                .anyMatch(end -> end.running().execution().equals(dispatch.execution()));
    }

    @Test
    void what_an_attempt_says_arrives_sealed_in_order_and_before_its_end() throws Exception {
        try (var agent = new TestAgent(vault, folder, 2)) {
            agent.runner.holding = true;
            Dispatch dispatch = send();
            EchoAttempt attempt = attempt(agent, dispatch);
            attempt.listener().progress(dispatch.execution(), 0.25, "a quarter");
            say(attempt, "one");
            say(attempt, "two");
            await().until(() -> !chunks(dispatch.execution()).isEmpty());

            say(attempt, "last words");
            attempt.listener().progress(dispatch.execution(), 1, "");
            attempt.finish();
            await().until(() -> hasEnded(dispatch));

            assertThat(chunks(dispatch.execution()).stream()
                            .flatMap(chunk -> chunk.lines().stream())
                            .map(LogLine::words))
                    .containsExactly("one", "two", "last words");
            List<Saying.Progress> progress = core.engine.said.stream()
                    .filter(Saying.Progress.class::isInstance)
                    .map(Saying.Progress.class::cast)
                    .toList();
            assertThat(progress).extracting(Saying.Progress::millionths).containsExactly(250_000, 1_000_000);
            assertThat(vault.open(
                            Purpose.PROGRESS,
                            dispatch.execution(),
                            java.util.Objects.requireNonNull(progress.getFirst().message())))
                    .isEqualTo(TestVault.text("a quarter"));
            assertThat(progress.getLast().message()).isNull();
        }
    }

    @Test
    void a_flood_delays_neither_heartbeats_nor_other_work_and_what_is_lost_is_told() throws Exception {
        try (var agent = new TestAgent(vault, folder, 4)) {
            agent.runner.holding = true;
            Dispatch loud = send();
            EchoAttempt attempt = attempt(agent, loud);
            String line = "x".repeat(4_000);
            for (int i = 0; i < 5_000; i++) {
                say(attempt, line);
            }
            Dispatch other = send();
            attempt(agent, other).finish();

            await().atMost(Duration.ofSeconds(5)).until(() -> hasEnded(other));
            attempt.finish();
            await().atMost(Duration.ofSeconds(15)).until(() -> hasEnded(loud));

            assertThat(core.engine.silent).isEmpty();
            assertThat(agent.link.connected()).isOne();
            List<LogChunk> chunks = chunks(loud.execution());
            int arrived =
                    chunks.stream().mapToInt(chunk -> chunk.lines().size()).sum();
            assertThat(arrived).as("more than waits at once was never kept").isBetween(100, 4_999);
        }
    }
}
