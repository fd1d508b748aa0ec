package dev.vigil.agent;

import dev.vigil.agent.handler.HandlerUnreadableException;
import dev.vigil.agent.handler.Runner;
import dev.vigil.protocol.identity.IdentityException;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.Banner;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.ConfigurableApplicationContext;

/// The worker process: `java -jar worker-agent-exec.jar --vigil.agent.api-url=https://…`. Secrets come by file or
/// environment (`VIGIL_AGENT_JOIN_TOKEN`), for every user of the machine can read arguments.
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableConfigurationProperties(AgentSettings.class)
public class AgentMain {
    private static final Logger LOG = LoggerFactory.getLogger(AgentMain.class);

    /// Runs until SIGTERM, which drains. Exit code 1 with one sentence when it cannot start.
    public static void main(String[] args) {
        run(args, UnaryOperator.identity());
    }

    /// The same for a process that watches what the worker runs, such as a test of many processes.
    ///
    /// @param around what the worker's runner is put into
    public static void run(String[] args, UnaryOperator<Runner> around) {
        var ended = new CountDownLatch(1);
        ConfigurableApplicationContext context = new SpringApplicationBuilder(AgentMain.class)
                .web(WebApplicationType.NONE)
                .bannerMode(Banner.Mode.OFF)
                .registerShutdownHook(false)
                .logStartupInfo(false)
                .properties(Map.of("spring.config.name", "worker-agent"))
                .run(args);
        Agent agent;
        try {
            agent = Agent.start(context.getBean(AgentSettings.class), InstantSource.system(), around);
        } catch (IdentityException | HandlerUnreadableException | IOException e) {
            LOG.error("event=agent_not_started reason=\"{}\"", e.getMessage());
            System.exit(1);
            return;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        Runtime.getRuntime()
                .addShutdownHook(Thread.ofPlatform().name("agent-drain").unstarted(() -> {
                    agent.close();
                    context.close();
                    ended.countDown();
                }));
        try {
            ended.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
