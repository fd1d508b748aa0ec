package dev.vigil.scheduler.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.vigil.protocol.identity.TestAuthority;
import dev.vigil.protocol.link.AckRecord;
import dev.vigil.protocol.link.Bodies;
import dev.vigil.protocol.link.DispatchRecord;
import dev.vigil.protocol.link.Frame;
import dev.vigil.protocol.link.FrameType;
import dev.vigil.protocol.link.HeartbeatAnswer.Verdict;
import dev.vigil.protocol.link.Held;
import dev.vigil.protocol.link.LogRecord;
import dev.vigil.protocol.link.ProgressRecord;
import dev.vigil.protocol.link.ResultRecord;
import dev.vigil.scheduler.execution.AttemptEnd;
import dev.vigil.scheduler.execution.Dispatch;
import dev.vigil.scheduler.execution.Link;
import dev.vigil.scheduler.execution.Saying;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WorkerLinkTest {
    private static final byte[] PAYLOAD = new byte[200];

    private final TestAuthority authority = new TestAuthority();
    private TestCore core;
    private TestWorker worker;

    @BeforeEach
    void start() throws IOException {
        core = new TestCore(authority);
        worker = TestWorker.of(authority);
    }

    @AfterEach
    void stop() throws IOException {
        worker.close();
        core.close();
    }

    @Test
    void a_worker_joins_takes_a_dispatch_and_its_result_is_settled() throws Exception {
        worker.join(core.sessions());
        Dispatch sent = dispatchWhenOpen();

        Frame frame = worker.receive(FrameType.DISPATCH);
        DispatchRecord got = Bodies.readDispatches(frame).records().getFirst();
        assertThat(got.execution()).isEqualTo(sent.execution());
        assertThat(got.payload()).isEqualTo(PAYLOAD);
        assertThat(Bodies.readDispatches(frame).heartbeat()).isEqualTo(1);

        worker.send(FrameType.ACK, one(Bodies.acks(List.of(new AckRecord(sent.execution(), sent.fence(), "")))));
        worker.send(FrameType.RESULT, one(Bodies.results(List.of(succeeded(sent)))));
        await().until(() -> core.engine.ended.size() == 1);
        AttemptEnd end = core.engine.ended.getFirst();
        assertThat(core.engine.started).containsExactly(end.running());
        assertThat(end.outcome()).isEqualTo(AttemptEnd.Outcome.SUCCEEDED);
        assertThat(end.result()).isEqualTo(new byte[] {1, 2, 3});

        core.link.settle(worker.workerBoot(), List.of(new Link.Settled(sent.execution(), sent.fence(), true)));
        assertThat(Bodies.readSettled(worker.receive(FrameType.RESULT_ACK))
                        .getFirst()
                        .committed())
                .isTrue();
    }

    @Test
    void progress_and_log_lines_reach_the_engine_sealed_as_they_are() throws Exception {
        worker.join(core.sessions());
        UUID execution = UUID.randomUUID();
        worker.send(
                FrameType.PROGRESS,
                one(Bodies.progress(List.of(new ProgressRecord(execution, 7, 250_000, new byte[] {1})))));
        worker.send(FrameType.LOG, one(Bodies.logs(List.of(new LogRecord(execution, 7, 3, 2, new byte[] {2})))));

        await().until(() -> core.engine.said.size() == 2);

        var running = new Link.Running(execution, 7);
        assertThat(core.engine.said.get(0)).isInstanceOfSatisfying(Saying.Progress.class, progress -> {
            assertThat(progress.running()).isEqualTo(running);
            assertThat(progress.millionths()).isEqualTo(250_000);
            assertThat(progress.message()).containsExactly(1);
        });
        assertThat(core.engine.said.get(1)).isInstanceOfSatisfying(Saying.Lines.class, lines -> {
            assertThat(lines.running()).isEqualTo(running);
            assertThat(lines.line()).isEqualTo(3);
            assertThat(lines.lines()).isEqualTo(2);
            assertThat(lines.sealed()).containsExactly(2);
        });
    }

    @Test
    void no_dispatch_is_sealed_once_the_right_to_act_is_over() throws Exception {
        worker.join(core.sessions());
        await().until(() -> core.link.take(1, "demo.echo", 1).isPresent());
        core.engine.mayAct = false;

        Dispatch late = TestCore.newDispatch(PAYLOAD);
        core.dispatchTo(worker.workerBoot(), late);

        await().until(() -> core.engine.undelivered.contains(late));
        worker.beat(List.of());
        assertThat(worker.receive().header().type()).isEqualTo(FrameType.HEARTBEAT);
    }

    @Test
    void credits_are_never_exceeded_and_a_lowered_grant_is_followed_as_far_as_it_is_free() throws Exception {
        worker.join(core.sessions());
        await().until(() -> core.link.take(1, "demo.echo", 3).isPresent());
        assertThat(core.link.take(1, "demo.echo", 5))
                .hasValueSatisfying(c -> assertThat(c.count()).isEqualTo(1));
        assertThat(core.link.take(1, "demo.echo", 1)).isEmpty();
        assertThat(core.link.take(1, "demo.other", 1)).isEmpty();

        worker.credit = 2;
        worker.beat(List.of());
        worker.receive(FrameType.HEARTBEAT);
        Frame answer = worker.receive(FrameType.HEARTBEAT);

        assertThat(answer.header().credit()).isEqualTo(4);
        assertThat(Bodies.readAnswer(answer.body()).backlog()).isPositive();
    }

    @Test
    void a_heartbeat_is_answered_with_what_the_core_owns_and_whether_it_reaches_the_database() throws Exception {
        worker.join(core.sessions());
        var mine = new Held(UUID.randomUUID(), 5, Held.State.RUNNING);
        var other = new Held(UUID.randomUUID(), 6, Held.State.WAITING);
        core.engine.owned.add(new Link.Running(mine.execution(), 5));
        core.engine.databaseDown = true;

        worker.beat(List.of(mine, other));
        worker.receive(FrameType.HEARTBEAT);
        var answer = Bodies.readAnswer(worker.receive(FrameType.HEARTBEAT).body());

        assertThat(answer.number()).isEqualTo(2);
        assertThat(answer.databaseDown()).isTrue();
        assertThat(answer.verdicts()).containsExactly(Verdict.OWNED, Verdict.UNKNOWN);
    }

    @Test
    void a_worker_whose_heartbeats_stop_is_silent_after_three_and_cut() throws Exception {
        worker.join(core.sessions());
        await().until(() -> !core.engine.joined.isEmpty());

        await().atMost(Duration.ofSeconds(6))
                .until(() -> core.engine.silent.contains(worker.workerBoot()) || worker.cut());

        await().atMost(Duration.ofSeconds(6)).until(() -> core.engine.silent.contains(worker.workerBoot()));
        assertThat(core.link.take(1, "demo.echo", 1)).isEmpty();
    }

    @Test
    void a_wrong_heartbeat_signature_suspends_the_worker_until_a_right_one_comes() throws Exception {
        worker.openSession(core.sessions());
        worker.connect();
        worker.greet();
        worker.send(FrameType.READY, Bodies.ready(4, List.of()));
        byte[] unsigned = Bodies.heartbeat(1, List.of());
        worker.hash.add(unsigned);
        worker.heartbeat = 1;
        byte[] forged = TestWorker.worker(authority, worker.id()).sign(worker.hash.statement());
        worker.send(FrameType.HEARTBEAT, Bodies.heartbeat(unsigned, forged));

        assertThat(Bodies.readAnswer(worker.receive(FrameType.HEARTBEAT).body()).suspended())
                .isTrue();
        assertThat(core.link.take(1, "demo.echo", 1)).isEmpty();
        worker.beat(List.of(), true);
        assertThat(Bodies.readAnswer(worker.receive(FrameType.HEARTBEAT).body()).suspended())
                .isFalse();
        assertThat(core.link.take(1, "demo.echo", 1)).isPresent();
    }

    @Test
    void a_new_connection_replaces_the_old_one_only_after_its_first_sealed_frame() throws Exception {
        worker.join(core.sessions());
        Dispatch lost = dispatchWhenOpen();
        worker.receive(FrameType.DISPATCH);
        var next = new TestWorker(authority, worker.identity, worker.boot);
        try (next) {
            next.openSession(core.sessions());
            next.connect();
            next.greet();
            worker.beat(List.of());
            assertThat(worker.receive(FrameType.HEARTBEAT)).isNotNull();

            next.send(FrameType.READY, Bodies.ready(4, List.of()));

            assertThat(worker.cut()).isTrue();
            await().until(() -> core.engine.joined.size() == 2);
            assertThat(core.engine.undelivered).containsExactly(lost);
            assertThat(core.engine.silent).isEmpty();
        }
    }

    @Test
    void a_dispatch_that_the_worker_holds_is_not_called_undelivered_after_a_reconnect() throws Exception {
        worker.join(core.sessions());
        Dispatch taken = dispatchWhenOpen();
        worker.receive(FrameType.DISPATCH);
        var next = new TestWorker(authority, worker.identity, worker.boot);
        try (next) {
            next.openSession(core.sessions());
            next.connect();
            next.greet();
            var held = new Held(taken.execution(), taken.fence(), Held.State.RUNNING);
            next.send(FrameType.READY, Bodies.ready(4, List.of(held)));

            await().until(() -> core.engine.joined.size() == 2);
            assertThat(core.engine.held).containsExactly(new Link.Running(taken.execution(), taken.fence()));
            assertThat(core.engine.undelivered).isEmpty();
        }
    }

    @Test
    void goodbye_is_answered_and_is_not_silence() throws Exception {
        worker.join(core.sessions());

        worker.send(FrameType.GOODBYE, Bodies.goodbye(true));

        assertThat(Bodies.readGoodbye(worker.receive(FrameType.GOODBYE).body())).isTrue();
        await().until(() -> core.engine.goodbye.contains(worker.workerBoot()));
        assertThat(core.engine.silent).isEmpty();
    }

    @Test
    void a_revoked_worker_is_cut_within_two_seconds_and_gets_no_session() throws Exception {
        worker.join(core.sessions());
        dispatchWhenOpen();
        core.registry.blocked.add(worker.id());
        long start = System.nanoTime();

        core.link.revoke(worker.id());

        assertThat(worker.cut()).isTrue();
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
        await().until(() -> core.engine.silent.contains(worker.workerBoot()));
        assertThat(worker.askSession(core.sessions()).statusCode()).isEqualTo(403);
        assertThatThrownBy(() -> {
                    worker.connect();
                    worker.greet();
                })
                .isInstanceOf(IOException.class);
    }

    @Test
    void two_boots_of_one_worker_heard_five_seconds_after_the_second_came_are_both_cut_and_reported() throws Exception {
        worker.join(core.sessions());
        var clone = new TestWorker(authority, worker.identity, UUID.randomUUID());
        try (clone) {
            clone.join(core.sessions());

            await().atMost(Duration.ofSeconds(12))
                    .pollInterval(Duration.ofMillis(500))
                    .until(() -> {
                        if (!core.cloned.isEmpty()) {
                            return true;
                        }
                        worker.beat(List.of());
                        clone.beat(List.of());
                        return false;
                    });

            assertThat(core.cloned).containsExactly(worker.id());
            assertThat(worker.cut()).isTrue();
            assertThat(clone.cut()).isTrue();
        }
    }

    @Test
    void a_worker_that_restarted_is_no_clone() throws Exception {
        worker.join(core.sessions());
        await().until(() -> !core.engine.joined.isEmpty());
        worker.close();
        var next = new TestWorker(authority, worker.identity, UUID.randomUUID());
        try (next) {
            next.join(core.sessions());

            for (int i = 0; i < 7; i++) {
                long beats = next.heartbeat;
                await().pollDelay(Duration.ofSeconds(1)).until(() -> next.heartbeat == beats);
                next.beat(List.of());
            }

            assertThat(core.cloned).isEmpty();
            assertThat(core.engine.silent).containsExactly(worker.workerBoot());
            assertThat(next.receive(FrameType.HEARTBEAT)).isNotNull();
        }
    }

    private Dispatch dispatchWhenOpen() {
        await().until(() -> core.link
                .take(1, "demo.echo", 1)
                .map(credits -> {
                    core.link.giveBack(credits);
                    return true;
                })
                .orElse(false));
        return core.dispatch(PAYLOAD);
    }

    private static ResultRecord succeeded(Dispatch dispatch) {
        return new ResultRecord(
                dispatch.execution(),
                dispatch.fence(),
                ResultRecord.Outcome.SUCCEEDED,
                12,
                "",
                false,
                -1,
                false,
                new byte[] {1, 2, 3});
    }

    private static <R> dev.vigil.protocol.link.Body one(List<Bodies.Packed<R>> packed) {
        return packed.getFirst().body();
    }
}
