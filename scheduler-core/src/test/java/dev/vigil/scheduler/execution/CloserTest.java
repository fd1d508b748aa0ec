package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.postgres.Role;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.Fleet.Reply;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.TaskRef;
import dev.vigil.scheduler.task.Tasks;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;

/// An end takes long to be stored: its row is somebody else's meanwhile.
class CloserTest {
    private final EngineFixture fixture = new EngineFixture();
    private final Tasks tasks = fixture.tasks();
    private final Dispatcher core = impatientCore();
    private Connection other;
    private UUID ended;

    /// Its transactions may take a tenth of the time they usually may.
    private Dispatcher impatientCore() {
        JdbcClient superuser = fixture.database.superuser();
        String name =
                superuser.sql("SELECT current_database()").query(String.class).single();
        superuser
                .sql("ALTER ROLE vigil_core IN DATABASE \"" + name + "\" SET transaction_timeout = '3s'")
                .update();
        return fixture.readyCore();
    }

    @BeforeEach
    void beginToStoreAnEnd() throws SQLException {
        fixture.fleet.join(1_000);
        fixture.fleet.behave(dispatch -> Reply.forever());
        await().until(() -> core.shardsOwned() == shards());
        ended = fixture.create(tasks, Drafts.now());
        fixture.awaitState(ended, State.RUNNING);
        other = fixture.database.source(Role.OWNER).getConnection();
        other.setAutoCommit(false);
        try (Statement locking = other.createStatement()) {
            locking.execute("SELECT id FROM scheduler.execution WHERE id = '" + ended + "' FOR UPDATE");
        }
        fixture.fleet.finishAll();
        await().until(() -> waiting() == 1);
    }

    @AfterEach
    void stop() throws SQLException {
        other.close();
        core.close();
        fixture.close();
    }

    @Test
    void what_is_due_starts_meanwhile_and_the_end_is_stored_then() throws Exception {
        assertEachShardStarts();
        assertThat(waiting()).isOne();
        assertThat(fixture.execution(ended).state()).isEqualTo(State.RUNNING);
        other.commit();

        fixture.awaitState(ended, State.SUCCEEDED);
    }

    @Test
    void an_end_whose_connection_broke_is_stored_once_when_the_truth_has_been_read_anew() throws Exception {
        fixture.database
                .superuser()
                .sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'transactionid'")
                .query(Boolean.class)
                .single();
        assertEachShardStarts();
        await().atMost(Duration.ofSeconds(10)).until(() -> waiting() == 1);
        other.commit();

        fixture.awaitState(ended, State.SUCCEEDED);
        assertThat(fixture.fleet.runsOf(ended)).hasSize(1);
        assertThat(count("history WHERE id = '" + ended + "'")).isOne();
    }

    @Test
    void an_end_that_may_not_go_on_waiting_is_tried_again_and_not_taken_for_one_that_cannot_be_stored()
            throws Exception {
        await().atMost(Duration.ofSeconds(10)).until(() -> transactionsEnded() > 0);
        await().atMost(Duration.ofSeconds(10)).until(() -> waiting() == 1);
        other.commit();

        fixture.awaitState(ended, State.SUCCEEDED);
    }

    @Test
    void a_command_about_it_is_carried_out_after_it() throws Exception {
        // A command steps its shard, and so waits for what is being stored there.
        Thread deleting =
                Thread.ofPlatform().start(() -> tasks.delete(new TaskRef(1, ended), Events.of(Drafts.event(ended))));
        await().until(() -> waiting() == 2);
        other.commit();
        deleting.join();

        await().atMost(Duration.ofSeconds(10)).until(() -> count("task WHERE id = '" + ended + "'") == 0);
        assertThat(count("inbox WHERE change_seq IS NOT NULL")).isZero();
        assertThat(count("execution")).isZero();
        assertThat(count("history WHERE state = 1 AND id = '" + ended + "'")).isOne();
    }

    @Test
    void a_core_that_leaves_waits_for_it() throws Exception {
        Thread leaving = Thread.ofPlatform().start(core::close);
        await().until(() -> leaving.getState() == Thread.State.TIMED_WAITING);
        assertThat(waiting()).isOne();
        other.commit();
        leaving.join();

        assertThat(fixture.execution(ended).state()).isEqualTo(State.SUCCEEDED);
    }

    private void assertEachShardStarts() {
        List<UUID> due = IntStream.range(0, 2 * shards())
                .mapToObj(i -> fixture.create(tasks, Drafts.now()))
                .toList();
        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(due)
                        .allSatisfy(id -> assertThat(fixture.fleet.runsOf(id)).hasSize(1)));
    }

    private int shards() {
        return (int) count("shard");
    }

    private long count(String rows) {
        return fixture.count("SELECT count(*) FROM scheduler." + rows);
    }

    private long waiting() {
        return fixture.count("SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted");
    }

    private long transactionsEnded() {
        return fixture.count("SELECT sessions_fatal FROM pg_stat_database WHERE datname = current_database()");
    }
}
