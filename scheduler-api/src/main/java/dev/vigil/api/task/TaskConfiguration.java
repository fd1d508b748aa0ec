package dev.vigil.api.task;

import dev.vigil.api.access.Usage;
import dev.vigil.scheduler.execution.Executions;
import dev.vigil.scheduler.task.ShardHints;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The task and execution routes and what they need.
@Configuration(proxyBeanMethods = false)
public class TaskConfiguration {
    @Bean
    Usage usage() {
        return caller -> new Usage.Counts(0, 0);
    }

    @Bean
    Executions executions(JdbcClient db, ShardHints hints) {
        return new Executions(db, hints);
    }
}
