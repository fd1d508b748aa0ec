package dev.vigil.scheduler;

import java.util.Map;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/// The engine as a service: its own process by [#main], or one of several contexts in a JVM by [#start].
public final class CoreService {
    private CoreService() {}

    /// Runs a core alone; settings come from `scheduler-core.yaml`, the environment and the arguments.
    public static void main(String[] args) {
        builder().run(args);
    }

    /// Starts a core in this JVM.
    ///
    /// @param settings win over every other source
    /// @return closed by the caller
    public static ConfigurableApplicationContext start(Map<String, ?> settings) {
        return builder()
                .registerShutdownHook(false)
                .run(settings.entrySet().stream()
                        .map(entry -> "--" + entry.getKey() + "=" + entry.getValue())
                        .toArray(String[]::new));
    }

    private static SpringApplicationBuilder builder() {
        // A name of its own: the services of one JVM share a class path and must not read each other's settings.
        return new SpringApplicationBuilder(CoreConfiguration.class)
                .web(WebApplicationType.NONE)
                .properties(
                        "spring.config.name=scheduler-core",
                        "spring.main.banner-mode=off",
                        "spring.main.keep-alive=true");
    }
}
