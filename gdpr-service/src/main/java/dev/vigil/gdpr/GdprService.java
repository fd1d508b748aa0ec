package dev.vigil.gdpr;

import java.util.Map;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/// The privacy service: its own process by [#main], or one of several contexts in a JVM by [#start].
public final class GdprService {
    private GdprService() {}

    /// Runs the service alone; settings come from `gdpr-service.yaml`, the environment and the arguments.
    public static void main(String[] args) {
        builder().run(args);
    }

    /// Starts the service in this JVM.
    ///
    /// @param settings win over every other source
    /// @return closed by the caller
    public static ConfigurableApplicationContext start(Map<String, ?> settings) {
        return builder()
                .registerShutdownHook(false)
                .run(settings.entrySet().stream()
                        .map(setting -> "--" + setting.getKey() + "=" + setting.getValue())
                        .toArray(String[]::new));
    }

    private static SpringApplicationBuilder builder() {
        // A name of its own: the services of one JVM share a class path and must not read each other's settings.
        return new SpringApplicationBuilder(GdprConfiguration.class)
                .web(WebApplicationType.SERVLET)
                .properties("spring.config.name=gdpr-service", "spring.main.banner-mode=off");
    }
}
