package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.postgres.Role;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.Fleet.Reply;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Tasks;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Nobody waits for an end to be stored but its worker; what is due goes first.
class DueFirstTest {
    /// As the fixture has it.
    private static final int LOOPS = 2;

    private final EngineFixture fixture = new EngineFixture();

    @AfterEach
    void stop() {
        fixture.close();
    }

    @Test
    void what_is_due_starts_before_it_is_stored_what_has_ended() throws Exception {
        fixture.fleet.join(1_000);
        fixture.fleet.behave(dispatch -> Reply.forever());
        try (Dispatcher core = fixture.readyCore();
                Connection first = fixture.database.source(Role.OWNER).getConnection();
                Statement busy = first.createStatement();
                Connection second = fixture.database.source(Role.OWNER).getConnection();
                Statement slow = second.createStatement()) {
            first.setAutoCommit(false);
            second.setAutoCommit(false);
            await().until(() -> core.shardsOwned() == shards());
            UUID ended = fixture.create(fixture.tasks(), Drafts.now());
            fixture.awaitState(ended, State.RUNNING);

            // Each loop is in a statement while it is told of an end and of what is due.
            busy.execute("LOCK TABLE scheduler.dispatch IN SHARE MODE");
            twoInEachShard();
            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> assertThat(waiting("relation")).isGreaterThanOrEqualTo(LOOPS));
            fixture.fleet.finishAll();
            fixture.fleet.awaitDone();
            List<UUID> due = twoInEachShard();
            slow.execute("SELECT id FROM scheduler.execution WHERE id = '" + ended + "' FOR UPDATE");
            first.commit();

            await().atMost(Duration.ofSeconds(10))
                    .untilAsserted(() -> assertThat(due)
                            .allSatisfy(
                                    id -> assertThat(fixture.fleet.runsOf(id)).hasSize(1)));
            await().until(() -> waiting("transactionid") == 1);
            assertThat(fixture.execution(ended).state()).isEqualTo(State.RUNNING);
            second.commit();
            fixture.awaitState(ended, State.SUCCEEDED);
        }
    }

    private List<UUID> twoInEachShard() {
        Tasks tasks = fixture.tasks();
        return IntStream.range(0, 2 * shards())
                .mapToObj(i -> fixture.create(tasks, Drafts.now()))
                .toList();
    }

    private int shards() {
        return (int) fixture.count("SELECT count(*) FROM scheduler.shard");
    }

    private long waiting(String kind) {
        return fixture.count("SELECT count(*) FROM pg_locks WHERE locktype = '" + kind + "' AND NOT granted");
    }
}
