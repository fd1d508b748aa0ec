package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.Role;
import dev.vigil.scheduler.execution.Adoption.Claim;
import dev.vigil.scheduler.execution.Open.Phase;
import dev.vigil.scheduler.execution.OwnerWrites.Line;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Tasks;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.jdbc.core.simple.JdbcClient;

/// What an owner does with the executions that are open in its shards, as time passes.
class AdoptionTest {
    private static final WorkerBoot WORKER = new WorkerBoot(new UUID(8, 1), new UUID(8, 2));

    private final EngineFixture fixture = new EngineFixture();
    private String broken = "";
    private final Tasks tasks = fixture.tasks();
    private final LoopState.Core core = core();
    private final CoreConnection connection = connection();
    private final LoopState state = new LoopState(core, breakable(new Postgres(connection)), new OpenIndex().part(0));
    private final Endings endings = new Endings(state);
    private final Adoption adoption = new Adoption(state, endings);
    private UUID id = new UUID(0, 0);
    private int shard;

    private LoopState.Core core() {
        Credentials credentials = fixture.database.database().as(Role.CORE);
        var clock = new DbClock(System::nanoTime);
        return new LoopState.Core(
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
    }

    private CoreConnection connection() {
        Credentials credentials = fixture.database.database().as(Role.CORE);
        return new CoreConnection(
                new CoreConnection.Database(credentials.url(), credentials.username(), credentials.password()), core);
    }

    /// The truth, whose connection the server ends once, before the question named by [#broken].
    private Truth breakable(Truth truth) {
        return (Truth) Proxy.newProxyInstance(
                Truth.class.getClassLoader(), new Class<?>[] {Truth.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals(broken)) {
                        broken = "";
                        fixture.count("SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
                                + " WHERE application_name = '"
                                + CoreConnection.applicationName(core.incarnation()) + "'");
                    }
                    try {
                        return method.invoke(truth, arguments);
                    } catch (InvocationTargetException failure) {
                        throw failure.getCause();
                    }
                });
    }

    @BeforeEach
    void dispatchOne() {
        id = fixture.create(tasks, Drafts.now());
        shard = (int) fixture.count("SELECT shard FROM scheduler.execution");
        JdbcClient db = connection.db();
        ShardRows.enter(db, state.core.incarnation(), "https://127.0.0.1:1");
        Claim claim = ShardRows.claim(db, state.core.incarnation(), 16).stream()
                .filter(one -> one.shard() == shard)
                .findFirst()
                .orElseThrow();
        var owned =
                new Owned(state.core.incarnation(), List.of(new Owned.Shard(shard, claim.epoch(), claim.changeSeq())));
        OwnerWrites.dispatch(db, owned, List.of(new Line(shard, 1, 1, WORKER, id, 1, new byte[0])));
        adoption.adopt(List.of(claim));
    }

    @AfterEach
    void stop() {
        state.truth.close();
        fixture.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"shards", "horizon", "open", "list", "lanes"})
    void a_shard_is_not_forgotten_when_the_database_fails_again_while_it_is_read_anew(String question) {
        open().enter(Phase.SENT, System.nanoTime());
        broken = question;

        assertThatThrownBy(adoption::reload).isInstanceOf(RuntimeException.class);
        state.truth.close();
        assertThat(state.owns(shard)).isTrue();
        adoption.reload();

        assertThat(open().phase).isEqualTo(Phase.SENT);
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
    void an_inherited_dispatch_of_a_vanished_core_is_waited_for_63_seconds() {
        state.shard(shard).orphaned = true;

        openFor(62);
        adoption.watch();
        endings.flush();
        assertThat(fixture.count("SELECT losses FROM scheduler.execution")).isZero();
        openFor(64);
        adoption.watch();
        endings.flush();

        assertThat(fixture.count("SELECT losses FROM scheduler.execution")).isOne();
        assertThat(fixture.count("SELECT attempt FROM scheduler.execution")).isZero();
    }

    @Test
    void an_inherited_dispatch_of_a_core_that_released_its_shard_is_waited_for_16_seconds() {
        openFor(15);
        adoption.watch();
        endings.flush();
        assertThat(fixture.count("SELECT losses FROM scheduler.execution")).isZero();
        openFor(17);
        adoption.watch();
        endings.flush();

        assertThat(fixture.count("SELECT losses FROM scheduler.execution")).isOne();
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
