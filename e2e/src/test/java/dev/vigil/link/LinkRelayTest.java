package dev.vigil.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.protocol.identity.Peers;
import dev.vigil.protocol.link.NonceWitness;
import dev.vigil.scheduler.execution.Dispatch;
import dev.vigil.scheduler.execution.Link;
import dev.vigil.scheduler.worker.TestCore;
import dev.vigil.scheduler.worker.WorkerLinkSettings;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Somebody between worker and core: outside of TLS, and with both TLS keys in his hands.
class LinkRelayTest {
    private static final String CANARY = "canary-5d41402abc4b2a76";
    private static final int DISPATCH = 5;

    @TempDir
    private Path folder;

    private TestVault vault;
    private TcpRelay outside;
    private TlsKeysRelay inside;

    @BeforeEach
    void start() throws Exception {
        vault = new TestVault();
        outside = new TcpRelay();
        inside = new TlsKeysRelay(vault.authority);
    }

    @AfterEach
    void stop() {
        outside.close();
        inside.close();
        vault.close();
    }

    private TestCore coreBehind(String endpoint) throws Exception {
        var core = new TestCore(
                vault.authority, WorkerLinkSettings.onLoopback().advertisedAs(endpoint), NonceWitness.NONE);
        core.engine.ownsAll = true;
        core.engine.onEnded = (worker, ends) -> core.link.settle(
                worker,
                ends.stream()
                        .map(end -> new Link.Settled(
                                end.running().execution(), end.running().fence(), true))
                        .toList());
        outside.target = core.link.linkPort();
        inside.target = core.link.linkPort();
        vault.cores.add(core);
        return core;
    }

    private TestAgent agent() throws Exception {
        var agent = new TestAgent(vault, folder, 4);
        inside.asWorker = () -> agent.keeper.clientTls(Peers.service("core"));
        return agent;
    }

    /// Sends a task and sends it again as an engine would, until its result is there.
    private void work(TestCore core, String text) {
        Dispatch dispatch = vault.dispatch(TestVault.text(text));
        send(core, dispatch);
        await().pollInterval(Duration.ofMillis(50))
                .atMost(Duration.ofSeconds(20))
                .until(() -> {
                    if (core.engine.undelivered.remove(dispatch)) {
                        send(core, dispatch);
                    }
                    return core.engine.ended.stream()
                            .anyMatch(end -> end.running().execution().equals(dispatch.execution()));
                });
    }

    private static void send(TestCore core, Dispatch dispatch) {
        Link.Credits credits = await().pollInterval(Duration.ofMillis(10))
                .atMost(Duration.ofSeconds(20))
                .until(() -> core.link.take(1, "demo.echo", 1), Optional::isPresent)
                .orElseThrow();
        core.link.send(credits.worker(), List.of(dispatch));
    }

    private static boolean contains(byte[] recording, String text) {
        return new String(recording, StandardCharsets.ISO_8859_1).contains(text);
    }

    @Test
    void outside_of_tls_nothing_is_readable() throws Exception {
        TestCore core = coreBehind(outside.endpoint());
        try (var agent = agent()) {
            work(core, "{\"note\":\"" + CANARY + "\"}");

            assertThat(outside.recording()).hasSizeGreaterThan(1_000);
            for (String text : List.of(CANARY, "demo.echo", "READY", "DEALER", agent.worker.toString())) {
                assertThat(contains(outside.recording(), text)).as(text).isFalse();
            }
        }
    }

    @Test
    void inside_of_tls_the_frames_are_still_sealed() throws Exception {
        TestCore core = coreBehind(inside.endpoint());
        try (var agent = agent()) {
            work(core, "{\"note\":\"" + CANARY + "\"}");

            assertThat(agent.runner.started).hasSize(1);
            assertThat(inside.recording()).hasSizeGreaterThan(500);
            assertThat(contains(inside.recording(), CANARY)).isFalse();
            assertThat(contains(inside.recording(), "demo.echo")).isFalse();
        }
    }

    @Test
    void a_changed_byte_outside_of_tls_ends_the_connection_and_the_work_goes_on_over_a_new_one() throws Exception {
        TestCore core = coreBehind(outside.endpoint());
        try (var agent = agent()) {
            work(core, "{}");
            int before = outside.connections.get();

            outside.change(1);

            await().atMost(Duration.ofSeconds(10)).until(() -> outside.connections.get() > before);
            work(core, "{}");
            assertThat(agent.runner.started).hasSize(2);
        }
    }

    @Test
    void a_peer_behind_a_black_hole_is_silent_for_both_ends_and_comes_back() throws Exception {
        TestCore core = coreBehind(outside.endpoint());
        try (var agent = agent()) {
            work(core, "{}");
            outside.swallowing = true;

            await().atMost(Duration.ofSeconds(9)).until(() -> core.engine.silent.size() == 1);
            await().atMost(Duration.ofSeconds(9)).until(() -> agent.link.connected() == 0);
            outside.swallowing = false;
            outside.cutAll();

            await().atMost(Duration.ofSeconds(15)).until(() -> agent.link.connected() == 1);
            work(core, "{}");
        }
    }

    @Test
    void sixty_cut_connections_are_sixty_reconnects_and_no_stuck_handshake() throws Exception {
        TestCore core = coreBehind(outside.endpoint());
        try (var agent = agent()) {
            await().until(() -> core.engine.joined.size() == 1);
            for (int i = 2; i <= 61; i++) {
                int expected = i;
                outside.cutAll();
                await().pollInterval(Duration.ofMillis(5))
                        .atMost(Duration.ofSeconds(5))
                        .until(() -> core.engine.joined.size() >= expected);
            }
            assertThat(core.engine.silent).isEmpty();
            work(core, "{}");
            assertThat(agent.link.alive()).isTrue();
        }
    }

    enum Mischief {
        CHANGE,
        REPLAY,
        REORDER,
        DROP,
        SPLICE
    }

    @ParameterizedTest
    @EnumSource(Mischief.class)
    void what_a_relay_with_the_tls_keys_does_to_dispatches_is_refused_by_the_worker(Mischief mischief)
            throws Exception {
        TestCore core = coreBehind(inside.endpoint());
        var earlier = new CopyOnWriteArrayList<byte[]>();
        inside.meddler = (fromCore, frame) -> {
            if (fromCore && frame[1] == DISPATCH) {
                earlier.add(frame);
            }
            return List.of(frame);
        };
        try (var agent = agent()) {
            work(core, "{\"first\":true}");
            int joined = core.engine.joined.size();
            var done = new AtomicInteger();
            var kept = new CopyOnWriteArrayList<byte[]>();
            inside.meddler = (fromCore, frame) -> {
                if (!fromCore || frame[1] != DISPATCH || done.get() > 0) {
                    if (fromCore && !kept.isEmpty()) {
                        // Reordered: the frame that came later passes first.
                        return List.of(frame, kept.removeFirst());
                    }
                    return List.of(frame);
                }
                done.incrementAndGet();
                return switch (mischief) {
                    case CHANGE -> {
                        byte[] changed = frame.clone();
                        changed[60] ^= 1;
                        yield List.of(changed);
                    }
                    case REPLAY -> List.of(frame, frame);
                    case REORDER -> {
                        kept.add(frame);
                        yield List.of();
                    }
                    case DROP -> List.of();
                    case SPLICE -> List.of(earlier.getFirst());
                };
            };

            work(core, "{\"second\":true}");

            await().atMost(Duration.ofSeconds(10)).until(() -> core.engine.joined.size() > joined);
            work(core, "{\"third\":true}");
            // Each ran exactly once: nothing forged ran, nothing was lost.
            assertThat(agent.runner.started.stream()
                            .map(attempt -> new String(attempt.request().input(), StandardCharsets.UTF_8)))
                    .containsExactly("{\"first\":true}", "{\"second\":true}", "{\"third\":true}");
        }
    }
}
