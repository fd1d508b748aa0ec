package dev.vigil.api.task;

import dev.vigil.api.access.RunningLimits;
import dev.vigil.api.access.Usage;
import dev.vigil.api.web.Occupancy;
import dev.vigil.scheduler.execution.ExecutionLogs;
import dev.vigil.scheduler.execution.Executions;
import dev.vigil.scheduler.task.OutboxProbe;
import dev.vigil.scheduler.task.Page;
import dev.vigil.scheduler.task.ShardHints;
import dev.vigil.scheduler.task.SharedLimits;
import dev.vigil.scheduler.task.TaskFilter;
import dev.vigil.scheduler.task.TaskView;
import dev.vigil.scheduler.task.Tasks;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.PlatformTransactionManager;

/// The task and execution routes, and the engine's library that they call in this process.
@Configuration(proxyBeanMethods = false)
@Import({
    BulkRoutes.class,
    ExecutionCommandRoutes.class,
    ExecutionRoutes.class,
    ForecastRoutes.class,
    LimitRoutes.class,
    LimitRoutes.Engine.class,
    LimitRoutes.Registry.class,
    LogRoutes.class,
    OpenedLogs.class,
    SealedViews.class,
    SealedViews.Records.class,
    FoundTasks.class,
    TaskCommandRoutes.class,
    TaskIntake.class,
    TaskIntake.Registry.class,
    TaskIntake.Storage.class,
    TaskPatch.class,
    TaskPatch.Tools.class,
    TaskJson.class,
    TaskRoutes.class,
    TaskRoutes.Reading.class
})
public class TaskConfiguration {
    @Bean
    Tasks tasks(JdbcClient db, PlatformTransactionManager transactions, InstantSource time, ShardHints hints) {
        return new Tasks(db, transactions, time, hints);
    }

    @Bean
    OutboxProbe outboxProbe(JdbcClient db, PlatformTransactionManager transactions) {
        return new OutboxProbe(db, transactions);
    }

    @Bean
    SharedLimits sharedLimits(JdbcClient db, PlatformTransactionManager transactions) {
        return new SharedLimits(db, transactions);
    }

    @Bean
    Executions executions(JdbcClient db, PlatformTransactionManager transactions, ShardHints hints) {
        return new Executions(db, transactions, hints);
    }

    @Bean
    ExecutionLogs executionLogs(JdbcClient db) {
        return new ExecutionLogs(db);
    }

    @Bean
    Usage usage(Tasks tasks, Executions executions) {
        return caller -> new Usage.Counts(
                tasks.unfinished(caller.namespace(), caller.id()), executions.running(caller.namespace(), caller.id()));
    }

    @Bean
    RunningLimits runningLimits(Tasks tasks) {
        return tasks::limitRunning;
    }

    @Bean
    Occupancy tasksInNamespace(Tasks tasks) {
        return namespace -> Stream.of(TaskView.State.SCHEDULED, TaskView.State.PAUSED)
                        .map(state -> new TaskFilter(namespace, null, state, null, null, null, null, Map.of()))
                        .anyMatch(filter -> !tasks.list(filter, Page.first(1)).isEmpty())
                ? List.of("unfinished tasks")
                : List.of();
    }
}
