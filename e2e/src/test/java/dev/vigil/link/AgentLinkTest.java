package dev.vigil.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.agent.handler.Outcome;
import dev.vigil.protocol.identity.TestAuthority;
import dev.vigil.scheduler.execution.AttemptEnd;
import dev.vigil.scheduler.execution.Dispatch;
import dev.vigil.scheduler.execution.Link;
import dev.vigil.scheduler.worker.TestCore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AgentLinkTest {
    @TempDir
    private Path folder;

    private TestVault vault;
    private TestCore core;

    @BeforeEach
    void start() throws IOException {
        vault = new TestVault();
        core = newCore(vault.authority);
    }

    @AfterEach
    void stop() {
        vault.close();
    }

    private TestCore newCore(TestAuthority authority) throws IOException {
        var fresh = new TestCore(authority);
        fresh.engine.ownsAll = true;
        fresh.engine.onEnded = (worker, ends) -> fresh.link.settle(
                worker,
                ends.stream()
                        .map(end -> new Link.Settled(
                                end.running().execution(), end.running().fence(), true))
                        .toList());
        vault.cores.add(fresh);
        return fresh;
    }

    @Test
    void a_payload_reaches_the_handler_and_its_result_comes_back_sealed() throws Exception {
        try (var agent = new TestAgent(vault, folder, 2)) {
            send(core, vault.dispatch(TestVault.text("{\"hello\":1}")));

            AttemptEnd end = await().until(() -> first(core), e -> e != null);

            assertThat(vault.open(end)).isEqualTo(TestVault.text("{\"hello\":1}"));
            assertThat(core.engine.started).containsExactly(end.running());
            assertThat(agent.runner.started).hasSize(1);
        }
    }

    @Test
    void a_megabyte_goes_to_a_handler_and_back_beside_the_link() throws Exception {
        var plaintext = new byte[1 << 20];
        RandomGenerator.getDefault().nextBytes(plaintext);
        try (var agent = new TestAgent(vault, folder, 2)) {
            send(core, vault.dispatch(plaintext));

            AttemptEnd end = await().until(() -> first(core), e -> e != null);

            assertThat(end.uploaded()).isTrue();
            assertThat(vault.open(end)).isEqualTo(plaintext);
            assertThat(agent.link.connected()).isEqualTo(1);
        }
    }

    @Test
    void credits_over_two_cores_never_exceed_slots_and_prefetch_and_follow_the_backlog() throws Exception {
        TestCore second = newCore(vault.authority);
        try (var agent = new TestAgent(vault, folder, 4)) {
            await().until(() -> agent.link.connected() == 2);
            // One after the other: each wait ends with its first credit, so just two are taken.
            await().until(() -> core.link.take(1, "demo.echo", 1).isPresent());
            await().until(() -> second.link.take(1, "demo.echo", 1).isPresent());

            // Eight places, two taken above. The first core takes what it is given, and asks for more.
            Set<Integer> taken = new HashSet<>();
            int[] sum = {2};
            await().atMost(Duration.ofSeconds(8)).until(() -> {
                core.link.take(1, "demo.echo", 100).ifPresent(credits -> sum[0] += credits.count());
                taken.add(sum[0]);
                return sum[0] >= 7;
            });

            second.link.take(1, "demo.echo", 100).ifPresent(credits -> sum[0] += credits.count());
            assertThat(sum[0]).isEqualTo(8);
            assertThat(taken).hasSizeGreaterThan(1);
        }
    }

    @Test
    void a_result_goes_to_the_core_that_took_the_execution_over() throws Exception {
        try (var agent = new TestAgent(vault, folder, 2)) {
            agent.runner.holding = true;
            Dispatch dispatch = vault.dispatch(TestVault.text("{}"));
            send(core, dispatch);
            await().until(() -> !agent.runner.started.isEmpty());
            TestCore second = newCore(vault.authority);
            second.engine.ownsAll = false;
            await().until(() -> agent.link.connected() == 2);

            vault.cores.remove(core);
            core.close();
            second.engine.ownsAll = true;
            await().until(() ->
                    second.engine.held.stream().anyMatch(one -> one.execution().equals(dispatch.execution())));
            await().until(() -> agent.runner.owned.contains(dispatch.execution()));
            agent.runner.finishAll();

            await().atMost(Duration.ofSeconds(10)).until(() -> first(second) != null);
        }
    }

    @Test
    void a_result_that_its_core_stored_and_died_before_it_said_so_is_settled_by_another() throws Exception {
        core.engine.onEnded = (worker, ends) -> {};
        try (var agent = new TestAgent(vault, folder, 2)) {
            TestCore second = newCore(vault.authority);
            second.engine.ownsAll = false;
            await().until(() -> agent.link.connected() == 2);
            send(core, vault.dispatch(TestVault.text("{}")));
            await().until(() -> first(core) != null);

            vault.cores.remove(core);
            core.close();

            await().atMost(Duration.ofSeconds(15)).until(() -> first(second) != null);
            assertThat(drain(agent).get(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void a_result_is_sent_until_it_is_acknowledged() throws Exception {
        core.engine.onEnded = (worker, ends) -> {};
        try (var agent = new TestAgent(vault, folder, 2)) {
            send(core, vault.dispatch(TestVault.text("{}")));

            await().atMost(Duration.ofSeconds(12)).until(() -> core.engine.ended.size() >= 2);
            assertThat(agent.runner.started).hasSize(1);
        }
    }

    @Test
    void while_the_database_is_down_the_watchdog_is_told_so_of_what_the_core_owned_and_of_nothing_else()
            throws Exception {
        core.engine.ownsAll = false;
        core.engine.databaseDown = true;
        try (var agent = new TestAgent(vault, folder, 2)) {
            agent.runner.holding = true;
            Dispatch given = vault.dispatch(TestVault.text("{}"));
            Dispatch owned = vault.dispatch(TestVault.text("{}"));
            send(core, given);
            await().until(() -> agent.runner.started.size() == 1);
            core.engine.owned.add(new Link.Running(owned.execution(), owned.fence()));
            send(core, owned);

            await().until(() -> agent.runner.databaseDown.contains(owned.execution()));
            assertThat(agent.runner.databaseDown).containsExactly(owned.execution());
            assertThat(agent.runner.owned).isEmpty();
            agent.runner.finishAll();
        }
    }

    @Test
    void a_cancelled_execution_reports_that_it_was() throws Exception {
        try (var agent = new TestAgent(vault, folder, 2)) {
            agent.runner.holding = true;
            Dispatch dispatch = vault.dispatch(TestVault.text("{}"));
            var worker = send(core, dispatch);
            await().until(() -> !agent.runner.started.isEmpty());

            core.link.cancel(worker, List.of(new Link.Running(dispatch.execution(), dispatch.fence())));

            AttemptEnd end = await().until(() -> first(core), e -> e != null);
            assertThat(end.outcome()).isEqualTo(AttemptEnd.Outcome.CANCELLED);
        }
    }

    @Test
    void a_cancel_that_meets_an_attempt_at_its_beginning_stops_it() throws Exception {
        try (var agent = new TestAgent(vault, folder, 2)) {
            var begun = new CountDownLatch(1);
            agent.runner.holding = true;
            agent.runner.beginning = begun;
            Dispatch dispatch = vault.dispatch(TestVault.text("{}"));
            var worker = send(core, dispatch);
            await().until(() -> agent.runner.started.size() == 1);

            core.link.cancel(worker, List.of(new Link.Running(dispatch.execution(), dispatch.fence())));
            // What comes behind it on the connection shows that the cancel was heard.
            send(core, vault.dispatch(TestVault.text("{}")));
            await().until(() -> agent.runner.started.size() == 2);
            begun.countDown();

            AttemptEnd end = await().until(() -> first(core), e -> e != null);
            assertThat(end.running().execution()).isEqualTo(dispatch.execution());
            assertThat(end.outcome()).isEqualTo(AttemptEnd.Outcome.CANCELLED);
        }
    }

    @Test
    void a_cancel_stays_told_until_it_is_heard_whatever_became_of_the_keys_meanwhile() throws Exception {
        core.engine.onEnded = (worker, ends) -> {};
        try (var agent = new TestAgent(vault, folder, 2)) {
            var released = new CountDownLatch(1);
            vault.materialsHeld = released;
            Dispatch dispatch = vault.dispatch(TestVault.text("{}"));
            var worker = send(core, dispatch);
            await().until(() -> vault.materialCalls.get() == 1);
            core.link.cancel(worker, List.of(new Link.Running(dispatch.execution(), dispatch.fence())));
            await().until(() -> first(core), e -> e != null);

            vault.forget(dispatch.execution());
            released.countDown();

            await().until(() -> core.engine.ended.size() >= 2);
            assertThat(core.engine.ended).allMatch(end -> end.outcome() == AttemptEnd.Outcome.CANCELLED);
            assertThat(core.engine.declined).isEmpty();
            assertThat(agent.runner.started).isEmpty();
        }
    }

    @Test
    void a_draining_worker_finishes_what_runs_says_goodbye_and_is_not_silent() throws Exception {
        try (var agent = new TestAgent(vault, folder, 2)) {
            agent.runner.holding = true;
            send(core, vault.dispatch(TestVault.text("{}")));
            await().until(() -> !agent.runner.started.isEmpty());
            var drained = drain(agent);
            await().until(() -> core.link.take(1, "demo.echo", 1).isEmpty());

            agent.runner.finishAll();

            assertThat(drained.get()).isTrue();
            await().until(() -> core.engine.goodbye.size() == 1);
            assertThat(core.engine.ended).hasSize(1);
            assertThat(core.engine.silent).isEmpty();
        }
    }

    @Test
    void a_worker_that_holds_nothing_leaves_without_waiting_for_its_next_heartbeat() throws Exception {
        try (var agent = new TestAgent(vault, folder, 2)) {
            await().until(() -> agent.link.connected() == 1);
            long since = System.nanoTime();

            assertThat(drain(agent).get()).isTrue();

            // Heartbeats are a second apart, and two of them were passed before.
            assertThat(Duration.ofNanos(System.nanoTime() - since)).isLessThan(Duration.ofSeconds(1));
            await().until(() -> core.engine.goodbye.size() == 1);
        }
    }

    @Test
    void a_worker_whose_work_outlasts_its_patience_says_goodbye_once_it_has_killed_it() throws Exception {
        try (var agent = new TestAgent(vault, folder, 2)) {
            agent.runner.holding = true;
            send(core, vault.dispatch(TestVault.text("{}")));
            await().until(() -> !agent.runner.started.isEmpty());
            assertThat(agent.link.drain(Duration.ofMillis(100))).isFalse();
            assertThat(core.engine.goodbye).isEmpty();

            agent.runner.started.forEach(
                    attempt -> attempt.outcome().complete(new Outcome.Abandoned("", Duration.ZERO, true)));

            assertThat(agent.link.leave(Duration.ofSeconds(10))).isTrue();
            await().until(() -> core.engine.goodbye.size() == 1);
            assertThat(core.engine.ended).isEmpty();
            assertThat(core.engine.silent).isEmpty();
        }
    }

    @Test
    void a_worker_whose_result_nobody_acknowledges_says_goodbye_in_time() throws Exception {
        core.engine.onEnded = (worker, ends) -> {};
        try (var agent = new TestAgent(vault, folder, 2)) {
            send(core, vault.dispatch(TestVault.text("{}")));
            await().until(() -> first(core) != null);

            assertThat(agent.link.drain(Duration.ofMillis(100))).isFalse();
            assertThat(agent.link.leave(Duration.ofSeconds(4))).isTrue();

            await().until(() -> core.engine.goodbye.size() == 1);
            assertThat(core.engine.silent).isEmpty();
        }
    }

    @Test
    void a_worker_drains_from_two_cores_and_from_one_that_comes_meanwhile() throws Exception {
        TestCore second = newCore(vault.authority);
        try (var agent = new TestAgent(vault, folder, 2)) {
            await().until(() -> agent.link.connected() == 2);
            agent.runner.holding = true;
            send(core, vault.dispatch(TestVault.text("{}")));
            await().until(() -> !agent.runner.started.isEmpty());
            var drained = drain(agent);
            await().until(() -> second.link.take(1, "demo.echo", 1).isEmpty());
            TestCore third = newCore(vault.authority);
            await().until(() -> !third.engine.joined.isEmpty());

            agent.runner.finishAll();

            assertThat(drained.get(20, TimeUnit.SECONDS)).isTrue();
            for (TestCore each : List.of(core, second, third)) {
                await().until(() -> each.engine.goodbye.size() == 1);
                assertThat(each.engine.silent).isEmpty();
            }
        }
    }

    @Test
    void an_agent_that_stood_still_for_five_seconds_starts_nothing_that_was_sent_meanwhile() throws Exception {
        try (var agent = new TestAgent(vault, folder, 2)) {
            send(core, vault.dispatch(TestVault.text("1")));
            await().until(() -> first(core) != null);
            var until = new java.util.concurrent.CountDownLatch(1);
            agent.runner.frozen = until;
            agent.runner.standsStill.await();
            long since = System.nanoTime();
            Dispatch late = vault.dispatch(TestVault.text("2"));
            send(core, late);

            await().atMost(Duration.ofSeconds(8)).until(() -> System.nanoTime() - since > 6_000_000_000L);
            agent.runner.frozen = null;
            until.countDown();
            await().atMost(Duration.ofSeconds(20)).until(() -> core.engine.joined.size() == 2);

            send(core, vault.dispatch(TestVault.text("3")));
            await().atMost(Duration.ofSeconds(10)).until(() -> core.engine.ended.size() == 2);
            assertThat(agent.runner.started)
                    .extracting(attempt -> attempt.request().execution())
                    .doesNotContain(late.execution());
        }
    }

    private static java.util.concurrent.CompletableFuture<Boolean> drain(TestAgent agent) {
        var drained = new java.util.concurrent.CompletableFuture<Boolean>();
        Thread.ofVirtual().start(() -> {
            try {
                drained.complete(agent.link.drain(Duration.ofSeconds(20)));
            } catch (InterruptedException e) {
                drained.completeExceptionally(e);
            }
        });
        return drained;
    }

    @Test
    void a_certificate_of_ten_seconds_is_renewed_three_times_while_work_goes_on() throws Exception {
        vault.api.life(Duration.ofSeconds(10));
        try (var agent = new TestAgent(vault, folder, 4)) {
            Set<Instant> certificates = new HashSet<>();
            int sent = 0;
            while (certificates.size() < 4) {
                certificates.add(agent.keeper.current().notAfter());
                send(core, vault.dispatch(TestVault.text("{}")));
                sent++;
                int expected = sent;
                await().pollInterval(Duration.ofMillis(20))
                        .atMost(Duration.ofSeconds(15))
                        .until(() -> {
                            sendAgain();
                            // A result that was under way when a connection was replaced is told again.
                            return core.engine.ended.stream()
                                            .map(end -> end.running().execution())
                                            .distinct()
                                            .count()
                                    >= expected;
                        });
            }
            assertThat(core.engine.silent).isEmpty();
            assertThat(core.engine.joined).hasSizeGreaterThanOrEqualTo(3);
            assertThat(core.engine.declined).isEmpty();
            assertThat(agent.runner.started).hasSize(sent);
        }
    }

    /// What an engine does with a dispatch that did not leave.
    private void sendAgain() {
        for (Dispatch dispatch : List.copyOf(core.engine.undelivered)) {
            if (core.engine.undelivered.remove(dispatch)) {
                send(core, dispatch);
            }
        }
    }

    private dev.vigil.scheduler.execution.WorkerBoot send(TestCore to, Dispatch dispatch) {
        Link.Credits credits = await().pollInterval(Duration.ofMillis(10))
                .atMost(Duration.ofSeconds(15))
                .until(() -> to.link.take(1, "demo.echo", 1), java.util.Optional::isPresent)
                .orElseThrow();
        to.link.send(credits.worker(), List.of(dispatch));
        return credits.worker();
    }

    private static @org.jspecify.annotations.Nullable AttemptEnd first(TestCore of) {
        return of.engine.ended.isEmpty() ? null : of.engine.ended.getFirst();
    }
}
