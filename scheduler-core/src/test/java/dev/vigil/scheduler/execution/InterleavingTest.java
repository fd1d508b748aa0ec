package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.vigil.postgres.Role;
import dev.vigil.scheduler.TestDatabase;
import dev.vigil.scheduler.execution.Adoption.Claim;
import dev.vigil.scheduler.execution.EndingRows.Ending;
import dev.vigil.scheduler.execution.EndingRows.Reached;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.OwnerWrites.Line;
import dev.vigil.scheduler.execution.OwnerWrites.Requeue;
import dev.vigil.scheduler.task.CommandResult;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.TaskRef;
import dev.vigil.scheduler.task.Tasks;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

/// The statements of owners against each other on a real PostgreSQL, each forced to meet the other half-way.
class InterleavingTest {
    private static final TestDatabase DATABASE = new TestDatabase();
    private static final UUID OLD = new UUID(7, 1);
    private static final UUID NEW = new UUID(7, 2);
    private static final WorkerBoot WORKER = new WorkerBoot(new UUID(8, 1), new UUID(8, 2));

    private final Tasks tasks = DATABASE.tasks();

    @BeforeEach
    void empty() {
        DATABASE.superuser().sql("""
                        TRUNCATE scheduler.task, scheduler.execution, scheduler.inbox, scheduler.dispatch,
                                 scheduler.history, scheduler.outbox, scheduler.core, scheduler.shortage
                        """).update();
        DATABASE.superuser()
                .sql("UPDATE scheduler.shard SET owner = NULL, epoch = epoch + 1, change_seq = 0")
                .update();
    }

    @Test
    void an_old_owners_running_statement_cannot_touch_what_the_new_owner_dispatched_anew() throws Exception {
        Due due = create();
        Claim before = claim(OLD, due);
        dispatch(core(OLD), OLD, before, due);

        try (Connection takeover = connect("takeover");
                Statement sql = takeover.createStatement()) {
            takeover.setAutoCommit(false);
            sql.execute(
                    "UPDATE scheduler.shard SET owner = '" + NEW + "', epoch = epoch + 1 WHERE id = " + due.shard());
            // The old owner's statement has its snapshot, and now waits for the shard's row.
            CompletableFuture<Reached> close = CompletableFuture.supplyAsync(() -> close(core(OLD), OLD, before, due));
            await().until(() -> waiting(OLD) == 1);
            takeover.commit();

            Claim after = new Claim(due.shard(), before.epoch() + 1, 0, true);
            assertThat(dispatch(core(NEW), NEW, after, due)).containsExactly(due.shard());
            assertThat(close.get()).isEqualTo(new Reached(Set.of(), Set.of(), Set.of()));
        }

        assertThat(count("SELECT count(*) FROM scheduler.execution")).isOne();
        assertThat(count("SELECT count(*) FROM scheduler.history")).isZero();
        assertThat(count("SELECT count(*) FROM scheduler.dispatch")).isEqualTo(2);
    }

    @Test
    void an_owner_stopped_inside_a_statement_cannot_block_its_successor() throws Exception {
        Due due = create();
        Claim before = claim(OLD, due);
        try (Connection stopped = connect(CoreConnection.applicationName(OLD));
                Statement sql = stopped.createStatement()) {
            stopped.setAutoCommit(false);
            sql.execute("SELECT id FROM scheduler.shard WHERE id = " + due.shard() + " FOR SHARE");
            ShardRows.enter(core(NEW), NEW, "https://127.0.0.1:1");

            long began = System.nanoTime();
            ShardRows.endSessions(core(NEW), OLD);
            int freed = ShardRows.bury(core(NEW), OLD, 0);
            List<Claim> claims = ShardRows.claim(core(NEW), NEW, 16);

            assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(3));
            assertThat(freed).isEqualTo(16);
            assertThat(claims).anySatisfy(claim -> {
                assertThat(claim.shard()).isEqualTo(due.shard());
                assertThat(claim.epoch()).isGreaterThan(before.epoch());
                assertThat(claim.orphaned()).isTrue();
            });
            assertThatThrownBy(() -> sql.execute("SELECT 1")).isInstanceOf(SQLException.class);
        }
    }

    @Test
    void a_pause_that_was_answered_prevents_a_dispatch_although_nobody_told_the_owner() {
        Due due = create();
        Claim owner = claim(OLD, due);

        assertThat(tasks.pause(new TaskRef(1, due.task().id()), Events.of(Drafts.event(due.id()))))
                .isEqualTo(new CommandResult.Accepted());

        assertThat(dispatch(core(OLD), OLD, owner, due)).isEmpty();
        assertThat(count("SELECT count(*) FROM scheduler.dispatch")).isZero();
        assertThat(count("SELECT count(*) FROM scheduler.outbox WHERE n = 1")).isEqualTo(2);
    }

    @Test
    void a_dispatch_that_meets_a_pause_half_way_waits_for_it_and_does_not_commit() throws Exception {
        Due due = create();
        Claim owner = claim(OLD, due);
        try (Connection command = connect("command");
                Statement sql = command.createStatement()) {
            command.setAutoCommit(false);
            sql.execute("UPDATE scheduler.shard SET change_seq = change_seq + 1 WHERE id = " + due.shard());
            CompletableFuture<Set<Integer>> dispatch =
                    CompletableFuture.supplyAsync(() -> dispatch(core(OLD), OLD, owner, due));
            await().until(() -> waiting(OLD) == 1);
            command.commit();

            assertThat(dispatch.get()).isEmpty();
        }
        assertThat(count("SELECT count(*) FROM scheduler.dispatch")).isZero();
    }

    @Test
    void a_command_does_not_stop_the_owner_from_closing_what_has_ended() {
        Due due = create();
        Claim owner = claim(OLD, due);
        dispatch(core(OLD), OLD, owner, due);
        tasks.pause(new TaskRef(1, due.task().id()), Events.of(Drafts.event(due.id())));

        assertThat(close(core(OLD), OLD, owner, due).ids()).containsExactly(due.id());
    }

    @Test
    void a_stale_fence_closes_nothing_and_the_newer_one_does() {
        Due due = create();
        Claim owner = claim(OLD, due);
        dispatch(core(OLD), OLD, owner, due);
        Owned owned = owned(OLD, owner);
        var requeue = new Requeue(due, fence(owner), 0, 1, null, new byte[0], 1);

        assertThat(OwnerWrites.requeue(core(OLD), owned, List.of(requeue))
                        .getFirst()
                        .id())
                .isEqualTo(due.id());
        assertThat(OwnerWrites.requeue(core(OLD), owned, List.of(requeue))
                        .getFirst()
                        .id())
                .isNull();

        assertThat(close(core(OLD), OLD, owner, due)).isEqualTo(new Reached(Set.of(due.shard()), Set.of(), Set.of()));
        assertThat(count("SELECT count(*) FROM scheduler.history")).isZero();
    }

    @Test
    void a_core_that_beats_again_is_not_buried() {
        ShardRows.enter(core(OLD), OLD, "https://127.0.0.1:1");
        ShardRows.claim(core(OLD), OLD, 16);
        ShardRows.beat(core(OLD), OLD, null);

        assertThat(ShardRows.bury(core(NEW), OLD, 0)).isZero();
        assertThat(ShardRows.bury(core(NEW), OLD, 1)).isEqualTo(16);
        assertThat(ShardRows.beat(core(OLD), OLD, null)).isEmpty();
        assertThat(ShardRows.claim(core(OLD), OLD, 16)).isEmpty();
    }

    @Test
    void another_cluster_raises_every_epoch_far_above_what_was_handed_out_and_does_so_once() {
        ShardRows.Cluster real = ShardRows.cluster(core(NEW));
        ShardRows.recognise(core(NEW), real);
        long before = count("SELECT min(epoch) FROM scheduler.shard");
        var other = new ShardRows.Cluster(real.systemIdentifier(), "000000FF");

        assertThat(ShardRows.recognise(core(NEW), other)).isTrue();
        assertThat(ShardRows.recognise(core(NEW), other)).isFalse();

        assertThat(count("SELECT min(epoch) FROM scheduler.shard")).isEqualTo(before + 1024);
        ShardRows.recognise(core(NEW), real);
    }

    @Test
    void the_cores_role_reads_no_key_and_the_apis_role_deletes_no_execution() {
        create();

        assertThatThrownBy(() -> DATABASE.as(Role.API)
                        .sql("DELETE FROM scheduler.execution")
                        .update())
                .rootCause()
                .hasMessageContaining("permission denied");
        assertThatThrownBy(() -> DATABASE.as(Role.API)
                        .sql("UPDATE scheduler.shard SET epoch = 9")
                        .update())
                .rootCause()
                .hasMessageContaining("permission denied");
        assertThatThrownBy(() -> DATABASE.as(Role.API)
                        .sql("UPDATE scheduler.execution SET lane = 1")
                        .update())
                .rootCause()
                .hasMessageContaining("permission denied");
        assertThatThrownBy(() -> DATABASE.as(Role.CORE)
                        .sql("SELECT events FROM scheduler.outbox")
                        .query()
                        .listOfRows())
                .rootCause()
                .hasMessageContaining("permission denied");
        assertThatThrownBy(() -> DATABASE.as(Role.CORE)
                        .sql("UPDATE scheduler.task SET name = 'x'")
                        .update())
                .rootCause()
                .hasMessageContaining("permission denied");
        assertThatThrownBy(() -> DATABASE.as(Role.CORE)
                        .sql("CREATE TABLE scheduler.mine (id int)")
                        .update())
                .rootCause()
                .hasMessageContaining("permission denied");
        assertThatThrownBy(() -> DATABASE.as(Role.GDPR)
                        .sql("SELECT id FROM scheduler.task")
                        .query()
                        .listOfRows())
                .rootCause()
                .hasMessageContaining("permission denied");
        assertThatThrownBy(() -> DATABASE.as(Role.AUDIT)
                        .sql("DELETE FROM scheduler.outbox")
                        .update())
                .rootCause()
                .hasMessageContaining("permission denied");
    }

    private Due create() {
        UUID id = ((dev.vigil.scheduler.task.CreateResult.Created) tasks.create(Drafts.task(Drafts.now())))
                .task()
                .id();
        int shard = DATABASE.superuser()
                .sql("SELECT shard FROM scheduler.execution WHERE id = :id")
                .param("id", id)
                .query(Integer.class)
                .single();
        return OwnerReads.byId(core(NEW), shard, List.of(id)).getFirst();
    }

    private static Claim claim(UUID core, Due due) {
        ShardRows.enter(core(core), core, "https://127.0.0.1:1");
        return ShardRows.claim(core(core), core, 16).stream()
                .filter(claim -> claim.shard() == due.shard())
                .findFirst()
                .orElseThrow();
    }

    private static Owned owned(UUID core, Claim claim) {
        return new Owned(core, List.of(new Owned.Shard(claim.shard(), claim.epoch(), claim.changeSeq())));
    }

    private static long fence(Claim claim) {
        return Fence.of(claim.epoch(), 1);
    }

    private static Set<Integer> dispatch(JdbcClient db, UUID core, Claim claim, Due due) {
        var line = new Line(due.shard(), 1, 1, WORKER, due.id(), 1, new byte[0]);
        return OwnerWrites.dispatch(db, owned(core, claim), List.of(line), null);
    }

    private static Reached close(JdbcClient db, UUID core, Claim claim, Due due) {
        var ending = new Ending(
                due,
                State.SUCCEEDED,
                fence(claim),
                1,
                WORKER.worker(),
                null,
                Duration.ZERO,
                null,
                null,
                false,
                new byte[0],
                1);
        return EndingRows.close(db, owned(core, claim), List.of(ending));
    }

    /// A session of a core, named as its sessions are.
    private static JdbcClient core(UUID incarnation) {
        try {
            return JdbcClient.create(
                    new SingleConnectionDataSource(connect(CoreConnection.applicationName(incarnation)), true));
        } catch (SQLException failure) {
            throw new IllegalStateException(failure);
        }
    }

    private static Connection connect(String name) throws SQLException {
        var credentials = DATABASE.database().as(Role.CORE);
        if (name.equals("command")) {
            credentials = DATABASE.database().as(Role.API);
        }
        return DriverManager.getConnection(
                credentials.url() + "&ApplicationName=" + name.replace(" ", "%20"),
                credentials.username(),
                credentials.password());
    }

    private static long waiting(UUID core) {
        return DATABASE.superuser()
                .sql("""
                        SELECT count(*) FROM pg_stat_activity
                         WHERE application_name = :name AND wait_event_type = 'Lock'
                        """)
                .param("name", CoreConnection.applicationName(core))
                .query(Long.class)
                .single();
    }

    private static long count(String sql) {
        return DATABASE.superuser().sql(sql).query(Long.class).single();
    }
}
