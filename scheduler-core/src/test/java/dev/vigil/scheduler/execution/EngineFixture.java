package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.Role;
import dev.vigil.scheduler.TestDatabase;
import dev.vigil.scheduler.task.CreateResult.Created;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.NewTask;
import dev.vigil.scheduler.task.Schedule;
import dev.vigil.scheduler.task.SharedLimits;
import dev.vigil.scheduler.task.TaskDraft;
import dev.vigil.scheduler.task.Tasks;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Random;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

/// A database, workers, and as many cores as a test wants.
final class EngineFixture implements AutoCloseable {
    final TestDatabase database = new TestDatabase();
    final Fleet fleet = new Fleet();
    private final SingleConnectionDataSource api = api();
    final Executions executions =
            new Executions(JdbcClient.create(api), new DataSourceTransactionManager(api), hints -> {});

    private SingleConnectionDataSource api() {
        Credentials credentials = database.database().as(Role.API);
        return new SingleConnectionDataSource(credentials.url(), credentials.username(), credentials.password(), true);
    }

    Tasks tasks() {
        return tasks(InstantSource.system());
    }

    /// Tasks as they are created at another time.
    Tasks tasks(InstantSource clock) {
        return new Tasks(JdbcClient.create(api), new DataSourceTransactionManager(api), clock, hints -> {});
    }

    SharedLimits limits() {
        return new SharedLimits(JdbcClient.create(api), new DataSourceTransactionManager(api));
    }

    Dispatcher core() {
        Credentials credentials = database.database().as(Role.CORE);
        var core = new Dispatcher(
                new Dispatcher.Settings(
                        UUID.randomUUID(),
                        credentials.url(),
                        credentials.username(),
                        credentials.password(),
                        2,
                        Retention.USUAL),
                new Random(7));
        core.start(fleet.connect(core), "https://127.0.0.1:1");
        return core;
    }

    Dispatcher readyCore() {
        Dispatcher core = core();
        await().atMost(Duration.ofSeconds(20)).until(() -> core.shardsOwned() > 0);
        return core;
    }

    UUID create(Tasks tasks, Schedule schedule) {
        return create(tasks, Drafts.draft("t", schedule));
    }

    UUID create(Tasks tasks, TaskDraft draft) {
        NewTask task = Drafts.task(draft, dev.vigil.scheduler.task.Limits.NONE, 100);
        assertThat(tasks.create(task)).isInstanceOf(Created.class);
        return task.id();
    }

    ExecutionView execution(UUID id) {
        return executions.get(id).orElseThrow();
    }

    void awaitState(UUID id, ExecutionView.State state) {
        await().atMost(Duration.ofSeconds(20))
                .pollInterval(Duration.ofMillis(20))
                .untilAsserted(() -> assertThat(execution(id).state()).isEqualTo(state));
    }

    long count(String sql) {
        return database.superuser().sql(sql).query(Long.class).single();
    }

    @Override
    public void close() {
        fleet.close();
        api.destroy();
    }
}
