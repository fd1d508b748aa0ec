package dev.vigil.api.task;

import dev.vigil.api.access.Usage;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/// The task and execution routes and what they need.
@Configuration(proxyBeanMethods = false)
public class TaskConfiguration {
    @Bean
    Usage usage() {
        return caller -> new Usage.Counts(0, 0);
    }
}
