package dev.vigil.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.agent.link.LinkSettings;
import dev.vigil.scheduler.execution.Link;
import dev.vigil.scheduler.worker.TestCore;
import dev.vigil.scheduler.worker.WorkerLinkSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NonceTest {
    private final Set<String> pairs = ConcurrentHashMap.newKeySet();
    private final Set<String> keys = ConcurrentHashMap.newKeySet();
    private final List<String> repeated = new CopyOnWriteArrayList<>();

    private void record(String key, long nonce) {
        keys.add(key);
        if (!pairs.add(key + ":" + nonce)) {
            repeated.add(key + ":" + nonce);
        }
    }

    @Test
    void two_cores_and_two_workers_restarted_on_either_side_never_use_a_key_and_nonce_twice(@TempDir Path folder)
            throws Exception {
        var settings = new LinkSettings(2, "test", Duration.ofMillis(100), this::record);
        try (var vault = new TestVault()) {
            newCore(vault);
            newCore(vault);
            for (int round = 0; round < 3; round++) {
                try (var first = new TestAgent(vault, folder.resolve("a" + round), settings, 2);
                        var second = new TestAgent(vault, folder.resolve("b" + round), settings, 2)) {
                    await().atMost(Duration.ofSeconds(20))
                            .until(() -> first.link.connected() == 2 && second.link.connected() == 2);
                    work(vault);

                    TestCore old = vault.cores.removeFirst();
                    old.close();
                    newCore(vault);

                    await().atMost(Duration.ofSeconds(20))
                            .until(() -> first.link.connected() == 2 && second.link.connected() == 2);
                    work(vault);
                    // Without a goodbye the cores would keep the places of these two for three heartbeats.
                    first.link.drain(Duration.ofSeconds(5));
                    second.link.drain(Duration.ofSeconds(5));
                }
            }
        }
        assertThat(repeated).isEmpty();
        // Three rounds, two workers, three core lives each, a key per direction.
        assertThat(keys).hasSizeGreaterThanOrEqualTo(3 * 2 * 3 * 2);
        assertThat(pairs).hasSizeGreaterThan(100);
    }

    private void newCore(TestVault vault) throws Exception {
        var core = new TestCore(vault.authority, WorkerLinkSettings.onLoopback(), this::record);
        core.engine.ownsAll = true;
        core.engine.onEnded = (worker, ends) -> core.link.settle(
                worker,
                ends.stream()
                        .map(end -> new Link.Settled(
                                end.running().execution(), end.running().fence(), true))
                        .toList());
        vault.cores.add(core);
    }

    private static void work(TestVault vault) {
        for (TestCore core : vault.cores) {
            int before = core.engine.ended.size();
            for (int i = 0; i < 4; i++) {
                var dispatch = vault.dispatch(TestVault.text("{}"));
                Link.Credits credits = await().atMost(Duration.ofSeconds(10))
                        .until(() -> core.link.take(1, "demo.echo", 1), Optional::isPresent)
                        .orElseThrow();
                core.link.send(credits.worker(), List.of(dispatch));
            }
            await().atMost(Duration.ofSeconds(10)).until(() -> core.engine.ended.size() >= before + 4);
        }
    }
}
