package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.postgres.Role;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.Fleet.Reply;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Limits;
import dev.vigil.scheduler.task.NearbyOwners;
import dev.vigil.scheduler.task.NewTask;
import dev.vigil.scheduler.task.Tasks;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;

/// A task whose transaction is over long after what came later has been read and has run.
class LateCommitTest {
    private final EngineFixture fixture = new EngineFixture();

    @AfterEach
    void stop() {
        fixture.close();
    }

    @Test
    void what_is_committed_late_with_an_earlier_due_time_runs_though_reading_has_gone_past_it() throws SQLException {
        DataSource slow = fixture.database.source(Role.API);
        Tasks another = new Tasks(
                JdbcClient.create(slow), new DataSourceTransactionManager(slow), InstantSource.system(), hints -> {});
        NewTask late = Drafts.task(Drafts.draft("late", Drafts.now()), Limits.NONE, 10);
        fixture.fleet.join(64);
        fixture.fleet.behave(dispatch -> Reply.succeed());
        try (Dispatcher core = fixture.readyCore();
                Connection holding = fixture.database.source(Role.OWNER).getConnection();
                Statement statement = holding.createStatement()) {
            // No hint: it is read because the inbox tells of it.
            NearbyOwners.remove(core);
            holdFirstCreate();
            statement.execute("SELECT pg_advisory_lock(42)");
            CompletableFuture<Void> creating = CompletableFuture.runAsync(() -> another.create(late));
            await().until(() ->
                    fixture.count("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == 1);

            List<UUID> later = IntStream.range(0, 2 * (int) fixture.count("SELECT count(*) FROM scheduler.shard"))
                    .mapToObj(i -> fixture.create(fixture.tasks(), Drafts.now()))
                    .toList();
            later.forEach(id -> fixture.awaitState(id, State.SUCCEEDED));
            assertThat(creating).isNotDone();
            statement.execute("SELECT pg_advisory_unlock(42)");

            await().atMost(Duration.ofSeconds(10)).until(creating::isDone);
            fixture.awaitState(late.id(), State.SUCCEEDED);
            assertThat(later)
                    .allSatisfy(id -> assertThat(fixture.execution(id).scheduledFor())
                            .isAfter(fixture.execution(late.id()).scheduledFor()));
        }
    }

    /// The first create waits before it commits, until a lock is free.
    private void holdFirstCreate() {
        JdbcClient db = fixture.database.superuser();
        db.sql("CREATE SEQUENCE public.creates").update();
        db.sql("""
                        CREATE FUNCTION public.hold() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
                        BEGIN
                          IF nextval('public.creates') = 1 THEN
                            PERFORM pg_advisory_xact_lock_shared(42);
                          END IF;
                          RETURN NULL;
                        END $$
                        """).update();
        db.sql("""
                        CREATE TRIGGER hold AFTER INSERT ON scheduler.inbox
                           FOR EACH STATEMENT EXECUTE FUNCTION public.hold()
                        """).update();
    }
}
