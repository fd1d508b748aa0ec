package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;
import static org.awaitility.Awaitility.await;

import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.Role;
import dev.vigil.scheduler.execution.Adoption.Claim;
import dev.vigil.scheduler.execution.Open.Phase;
import dev.vigil.scheduler.execution.OwnerWrites.Line;
import dev.vigil.scheduler.task.CommandResult;
import dev.vigil.scheduler.task.Commands;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.Schedule;
import dev.vigil.scheduler.task.Tasks;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.jdbc.core.simple.JdbcClient;

/// What an owner does with the executions that are open in its shards, as time passes.
class AdoptionTest {
    private static final WorkerBoot WORKER = new WorkerBoot(new UUID(8, 1), new UUID(8, 2));

    private final EngineFixture fixture = new EngineFixture();
    private final Tasks tasks = fixture.tasks();
    private @Nullable Postgres postgres;
    private String failsBefore = "";
    private String failsAfter = "";
    private final LoopState state = state();
    private final Endings endings = new Endings(state, () -> {});
    private final Adoption adoption = new Adoption(state, endings);
    private UUID id = new UUID(0, 0);
    private Claim claim = new Claim(0, 0, 0, false);
    private int shard;

    private LoopState state() {
        Credentials credentials = fixture.database.database().as(Role.CORE);
        var clock = new DbClock(System::nanoTime);
        var core = new LoopState.Core(
                UUID.randomUUID(),
                System::nanoTime,
                new Tenure(),
                new ClusterGuard(),
                clock,
                fixture.fleet.connect(new Dispatcher(
                        new Dispatcher.Settings(
                                UUID.randomUUID(),
                                credentials.url(),
                                credentials.username(),
                                credentials.password(),
                                1,
                                Retention.USUAL),
                        new Random(1))),
                new WorkersSeen(),
                new Random(1),
                new Shortages());
        var database = new CoreConnection.Database(credentials.url(), credentials.username(), credentials.password());
        postgres = new Postgres(new CoreConnection(database, core));
        var closer = new PostgresCloser("closer", new Postgres(new CoreConnection(database, core)));
        return new LoopState(core, failing(postgres), closer, new OpenIndex().part(0));
    }

    /// Breaks before or after a statement, so that nobody hears what became of it.
    private Truth failing(Truth truth) {
        return (Truth) Proxy.newProxyInstance(
                Truth.class.getClassLoader(), new Class<?>[] {Truth.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals(failsBefore)) {
                        throw new DataAccessResourceFailureException("it broke before");
                    }
                    Object answer = method.invoke(truth, arguments);
                    if (method.getName().equals(failsAfter)) {
                        throw new DataAccessResourceFailureException("it broke after");
                    }
                    return answer;
                });
    }

    @BeforeEach
    void dispatchOne() {
        id = fixture.create(tasks, Drafts.now());
        shard = (int) fixture.count("SELECT shard FROM scheduler.execution");
        JdbcClient db = Objects.requireNonNull(postgres).connection().db();
        ShardRows.enter(db, state.core.incarnation(), "https://127.0.0.1:1");
        claim = ShardRows.claim(db, state.core.incarnation(), 16).stream()
                .filter(one -> one.shard() == shard)
                .findFirst()
                .orElseThrow();
        var owned =
                new Owned(state.core.incarnation(), List.of(new Owned.Shard(shard, claim.epoch(), claim.changeSeq())));
        OwnerWrites.dispatch(db, owned, List.of(new Line(shard, 1, 1, WORKER, id, 1, new byte[0])), null);
        adoption.adopt(List.of(claim));
    }

    @AfterEach
    void stop() {
        state.truth.close();
        state.closer.close();
        fixture.close();
    }

    @Test
    void what_has_been_open_for_ten_minutes_is_listed_again_and_recovery_reads_no_further_back() {
        Open open = open();
        long fence = open.fence();
        open.enter(Phase.SENT, System.nanoTime());
        open.listedAt = System.nanoTime() - Duration.ofMinutes(9).toNanos();

        adoption.watch();
        assertThat(open.fence()).isEqualTo(fence);
        open.listedAt = System.nanoTime() - Duration.ofMinutes(11).toNanos();
        adoption.watch();

        assertThat(open.fence()).isEqualTo(fence + 1);
        assertThat(open.isHeldBy(WORKER, open.workerFence)).isTrue();
        assertThat(fixture.count("SELECT max(fence) FROM scheduler.open_dispatch"))
                .isEqualTo(open.fence());
        assertThat(fixture.count("SELECT count(*) FROM scheduler.execution WHERE fence_min = 0"))
                .isOne();
    }

    @Test
    void an_inherited_dispatch_of_a_vanished_core_is_waited_for_61_seconds() {
        vanished(61);
        adoption.watch();
        endings.flushAll();
        assertThat(fixture.count("SELECT losses FROM scheduler.execution")).isZero();
        vanished(62);
        adoption.watch();
        endings.flushAll();

        assertThat(fixture.count("SELECT losses FROM scheduler.execution")).isOne();
        assertThat(fixture.count("SELECT attempt FROM scheduler.execution")).isZero();
    }

    @Test
    void a_worker_that_was_heard_since_its_core_vanished_is_given_up_no_sooner_for_it_may_not_have_heard_this_one() {
        for (int seconds : new int[] {50, 62}) {
            vanished(seconds);
            long heard = System.nanoTime() - Duration.ofSeconds(17).toNanos();
            open().enter(Phase.SENT, heard);
            adoption.workerSilent(WORKER, heard, Duration.ZERO);
            assertThat(state.shard(shard).isOrphaned(System.nanoTime())).isEqualTo(seconds < 61);

            adoption.watch();
            endings.flushAll();

            assertThat(fixture.count("SELECT losses FROM scheduler.execution")).isEqualTo(seconds < 61 ? 0 : 1);
        }
    }

    private void vanished(int seconds) {
        state.lose(shard);
        long last = System.nanoTime() - Duration.ofSeconds(seconds).toNanos();
        adoption.adopt(List.of(new Claim(shard, claim.epoch(), claim.changeSeq(), true, last)));
    }

    @Test
    void an_inherited_dispatch_is_waited_for_from_the_last_life_of_its_core_and_not_from_the_takeover() {
        state.lose(shard);
        long now = System.nanoTime();
        long vanished = now - Duration.ofSeconds(61).toNanos();
        adoption.adopt(List.of(new Claim(shard, claim.epoch(), claim.changeSeq(), true, vanished)));

        adoption.watch();
        assertThat(open().phase).isEqualTo(Phase.INHERITED);
        assertThat(adoption.nanosToDecision())
                .isBetween(0L, Duration.ofMillis(250).toNanos());
        await().pollInterval(Duration.ofMillis(5)).until(() -> adoption.nanosToDecision() <= 0);
        adoption.watch();
        endings.flushAll();

        assertThat(fixture.count("SELECT losses FROM scheduler.execution")).isOne();
    }

    @Test
    void what_was_read_anew_after_a_failure_is_still_waited_for_from_the_last_life_of_its_core() {
        state.lose(shard);
        long vanished = System.nanoTime() - Duration.ofSeconds(50).toNanos();
        adoption.adopt(List.of(new Claim(shard, claim.epoch(), claim.changeSeq(), true, vanished)));

        adoption.reload();
        adoption.recall();

        assertThat(open().word).isEqualTo(vanished + Orphans.allowance(true).toNanos());
    }

    @Test
    void an_inherited_dispatch_of_a_core_that_released_its_shard_is_waited_for_16_seconds() {
        openFor(15);
        adoption.watch();
        endings.flushAll();
        assertThat(fixture.count("SELECT losses FROM scheduler.execution")).isZero();
        openFor(17);
        adoption.watch();
        endings.flushAll();

        assertThat(fixture.count("SELECT losses FROM scheduler.execution")).isOne();
    }

    @ParameterizedTest
    @ValueSource(strings = {"snapshot", "lastN", "open", "list", "lanes"})
    void a_database_that_fails_again_while_the_truth_is_read_costs_no_shard_and_no_knowledge(String statement) {
        open().enter(Phase.SENT, System.nanoTime());

        failsBefore = statement;
        assertThatException().isThrownBy(adoption::reload);
        failsBefore = "";
        failsAfter = statement;
        assertThatException().isThrownBy(adoption::reload);
        failsAfter = "";
        assertThat(state.index.find(id)).as("workers are told of it").isNotNull();
        adoption.reload();
        adoption.recall();

        assertThat(state.index.find(id)).isSameAs(open());
        assertThat(state.owns(shard)).isTrue();
        assertThat(open().phase).isEqualTo(Phase.SENT);
        assertThat(endings.isEmpty()).isTrue();
    }

    @Test
    void what_may_have_been_given_away_is_no_workers_to_run_on_with_until_the_truth_is_known() {
        failsAfter = "release";
        assertThatException().isThrownBy(() -> state.release(List.of(shard)));
        failsAfter = "";
        assertThat(state.index.find(id)).isNull();

        adoption.reload();
        adoption.recall();

        assertThat(state.owns(shard)).isFalse();
        assertThat(state.index.find(id)).isNull();
    }

    @Test
    void what_was_not_given_away_after_all_is_told_of_again() {
        failsBefore = "release";
        assertThatException().isThrownBy(() -> state.release(List.of(shard)));
        failsBefore = "";
        assertThat(state.index.find(id)).isNull();

        adoption.reload();
        adoption.recall();

        assertThat(state.index.find(id)).isSameAs(open());
    }

    @Test
    void what_somebody_else_has_taken_is_told_of_no_more_once_the_truth_is_read() {
        fixture.database
                .superuser()
                .sql("UPDATE scheduler.shard SET epoch = epoch + 1, owner = NULL WHERE id = " + shard)
                .update();
        assertThat(state.index.find(id)).as("control").isNotNull();

        adoption.reload();

        assertThat(state.index.find(id)).isNull();
    }

    @Test
    void what_a_lost_answer_has_listed_in_a_new_epoch_may_be_running() {
        state.lose(shard);
        failsAfter = "list";
        assertThatException().isThrownBy(() -> adoption.adopt(List.of(claim)));
        failsAfter = "";

        adoption.reload();
        adoption.recall();

        assertThat(open().phase).isEqualTo(Phase.INHERITED);
        assertThat(endings.isEmpty()).isTrue();
    }

    @Test
    void what_was_committed_and_not_sent_when_the_database_failed_goes_back_however_often_it_fails() {
        open().enter(Phase.COMMITTED, System.nanoTime());

        for (int i = 0; i < 2; i++) {
            endings.setAside();
            adoption.reload();
        }
        adoption.recall();
        endings.takeUp();
        endings.flushAll();

        assertThat(state.shard(shard).open).isEmpty();
        assertThat(fixture.count("SELECT count(*) FROM scheduler.execution WHERE fence_min > 0 AND losses = 0"))
                .isOne();
    }

    @Test
    void what_was_decided_and_not_stored_when_the_database_failed_is_stored_later() {
        open().enter(Phase.SENT, System.nanoTime());
        endings.lost(open());

        endings.setAside();
        adoption.reload();
        adoption.recall();
        endings.takeUp();
        endings.flushAll();

        assertThat(fixture.count("SELECT losses FROM scheduler.execution")).isOne();
    }

    @Test
    void a_cancel_that_meets_the_end_of_an_attempt_leaves_no_further_one() {
        open().enter(Phase.SENT, System.nanoTime());
        endings.lost(open());

        endings.stop(state.shard(shard), List.of(id), false);
        endings.flushAll();

        assertThat(fixture.count("SELECT count(*) FROM scheduler.execution")).isZero();
        assertThat(fixture.execution(id).state()).isEqualTo(ExecutionView.State.CANCELLED);
    }

    @Test
    void a_cancel_that_is_asked_for_twice_leaves_nothing_in_the_inbox() {
        var commands = new CommandWork(state, endings, new FireWork(state), new Dependencies(state, endings));
        open().enter(Phase.SENT, System.nanoTime());
        for (int i = 0; i < 2; i++) {
            assertThat(fixture.executions.cancel(id, Events.of(Drafts.event(id))))
                    .isInstanceOf(CommandResult.Accepted.class);
        }
        state.shard(shard).announced += 2;

        commands.apply();
        endings.lost(open());
        endings.flushAll();
        commands.complete();

        assertThat(fixture.execution(id).state()).isEqualTo(ExecutionView.State.CANCELLED);
        assertThat(fixture.count("SELECT count(*) FROM scheduler.inbox WHERE change_seq IS NOT NULL"))
                .isZero();
    }

    @Test
    void a_schedule_that_is_resumed_goes_on_later_and_never_fires_an_occurrence_again() {
        UUID task = fixture.create(tasks, new Schedule.Interval(Duration.ofHours(1), null));
        int at = (int) fixture.count("SELECT shard FROM scheduler.schedule");
        long epoch = fixture.count("SELECT epoch FROM scheduler.shard WHERE id = " + at);
        var owned = new Owned(state.core.incarnation(), List.of(new Owned.Shard(at, epoch, 0)));
        var resume = new OwnerReads.InboxRow(at, 1, 1, Commands.Kind.RESUME, 0, null, task, 1, 1);
        JdbcClient db = Objects.requireNonNull(postgres).connection().db();
        Instant next = nextAt();

        assertThat(CommandWrites.release(db, owned, resume, next.minusSeconds(1)))
                .isNotEmpty();
        assertThat(nextAt()).isEqualTo(next);
        CommandWrites.release(db, owned, resume, next.plusSeconds(3600));
        assertThat(nextAt()).isEqualTo(next.plusSeconds(3600));
        CommandWrites.release(db, owned, resume, null);
        assertThat(nextAt()).isEqualTo(next.plusSeconds(3600));
    }

    private Instant nextAt() {
        return fixture.database
                .superuser()
                .sql("SELECT next_at FROM scheduler.schedule")
                .query(OffsetDateTime.class)
                .single()
                .toInstant();
    }

    @Test
    void a_batch_for_two_workers_is_recovered_whole() {
        Open first = open();
        state.forget(first);
        fixture.create(tasks, Drafts.now());
        fixture.create(tasks, Drafts.now());
        JdbcClient db = fixture.database.superuser();
        db.sql("DELETE FROM scheduler.execution WHERE id = :id").param("id", id).update();
        db.sql("UPDATE scheduler.execution SET shard = :shard")
                .param("shard", shard)
                .update();
        fixture.fleet.join(1);
        fixture.fleet.join(1);
        state.core.clock().read(Instant.now().plusSeconds(1), System.nanoTime(), System.nanoTime());
        state.core.tenure().renewed(System.nanoTime());
        state.shard(shard).lanes.rewindAll(-1, Instant.EPOCH);
        state.shard(shard).applied = state.shard(shard).announced;
        var dispatching = new Dispatching(state);

        dispatching.read();
        await().until(() -> {
            dispatching.dispatch();
            return state.shard(shard).open.size() == 2;
        });

        assertThat(fixture.count("SELECT count(DISTINCT n) FROM scheduler.open_dispatch"))
                .isEqualTo(2);
    }

    @Test
    void a_silence_noticed_before_a_dispatch_was_sent_says_nothing_of_it() {
        long noticed = System.nanoTime();
        open().enter(Phase.SENT, noticed + 1);

        adoption.workerSilent(WORKER, noticed, Duration.ofSeconds(3));
        assertThat(open().phase).isEqualTo(Phase.SENT);
        adoption.workerSilent(WORKER, noticed + 1, Duration.ofSeconds(3));

        assertThat(open().phase).isEqualTo(Phase.UNHEARD);
        assertThat(open().since).isEqualTo(noticed + 1 - Duration.ofSeconds(3).toNanos());
    }

    private void openFor(int seconds) {
        open().enter(
                        Phase.INHERITED,
                        System.nanoTime() - Duration.ofSeconds(seconds).toNanos());
    }

    private Open open() {
        return java.util.Objects.requireNonNull(state.shard(shard).open.get(id));
    }

    @Test
    void a_name_in_the_address_does_not_hide_a_cores_sessions_from_its_successor() {
        Credentials credentials = fixture.database.database().as(Role.CORE);
        String named = credentials.url() + (credentials.url().contains("?") ? "&" : "?") + "ApplicationName=ours";
        var database = new CoreConnection.Database(named, credentials.username(), credentials.password());

        try (var connection = new CoreConnection(database, state.core)) {
            String name = connection
                    .db()
                    .sql("SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()")
                    .query(String.class)
                    .single();

            assertThat(name).isEqualTo(CoreConnection.applicationName(state.core.incarnation()));
        }
    }
}
