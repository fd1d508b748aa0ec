package dev.vigil.agent;

import dev.vigil.agent.handler.HandlerUnreadableException;
import dev.vigil.agent.handler.Runner;
import dev.vigil.agent.handler.RunnerSettings;
import dev.vigil.agent.link.AgentLink;
import dev.vigil.agent.link.LinkSettings;
import dev.vigil.protocol.identity.IdentityException;
import dev.vigil.protocol.identity.IdentityKeeper;
import dev.vigil.protocol.identity.IdentitySettings;
import dev.vigil.protocol.link.NonceWitness;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A running worker: certificate, handlers, link, health.
final class Agent implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Agent.class);
    private static final Duration CORES_ASKED_EVERY = Duration.ofSeconds(1);
    private static final Duration OWNED_WITHIN = Duration.ofSeconds(12);
    private static final Duration ORPHAN_GRACE = Duration.ofSeconds(60);
    private static final Duration FAREWELL = Duration.ofSeconds(4);

    private final AgentSettings settings;
    private final Runner runner;
    private final IdentityKeeper keeper;
    private final AgentLink link;
    private final @Nullable Health health;

    private Agent(AgentSettings settings, Runner runner, IdentityKeeper keeper, InstantSource clock)
            throws IOException {
        this.settings = settings;
        this.runner = runner;
        this.keeper = keeper;
        this.link = new AgentLink(
                new AgentLink.Parts(keeper, settings.apiUrl(), runner, clock),
                new LinkSettings(settings.prefetched(), version(), CORES_ASKED_EVERY, NonceWitness.NONE));
        this.health = settings.healthPort() == 0
                ? null
                : new Health(settings.healthPort(), link::alive, () -> link.connected() > 0);
    }

    /// Starts a worker. Waits for an API that is not there yet; does not wait when waiting would not help.
    ///
    /// @param around what its runner is put into
    static Agent start(AgentSettings settings, InstantSource clock, UnaryOperator<Runner> around)
            throws IOException, IdentityException, HandlerUnreadableException, InterruptedException {
        IdentityKeeper keeper = identity(settings, clock);
        try {
            Runner runner = around.apply(Runner.open(new RunnerSettings(
                    settings.stateDir().resolve("runner"),
                    settings.handlers(),
                    settings.demoHandlers(),
                    settings.slots(),
                    settings.allowUnsandboxed(),
                    OWNED_WITHIN,
                    ORPHAN_GRACE)));
            try {
                var agent = new Agent(settings, runner, keeper, clock);
                agent.link.start();
                LOG.info(
                        "event=agent_started worker={} slots={} sandbox={} limits={} usable={} detail=\"{}\"",
                        keeper.current().id(),
                        runner.slots(),
                        runner.sandbox().kind(),
                        runner.sandbox().limits(),
                        runner.sandbox().usable(),
                        runner.sandbox().detail());
                return agent;
            } catch (IOException | RuntimeException e) {
                runner.close();
                throw e;
            }
        } catch (IOException | HandlerUnreadableException | RuntimeException e) {
            keeper.close();
            throw e;
        }
    }

    private static IdentityKeeper identity(AgentSettings settings, InstantSource clock)
            throws IOException, IdentityException, InterruptedException {
        var identity = new IdentitySettings(
                settings.stateDir().resolve("identity"),
                settings.apiUrl(),
                settings.name(),
                settings.token(),
                settings.caPin());
        return IdentityKeeper.await(identity, clock);
    }

    private static String version() {
        String version = Agent.class.getPackage().getImplementationVersion();
        return version == null ? "dev" : version;
    }

    /// Finishes what runs, says goodbye, ends everything.
    @Override
    public void close() {
        try {
            boolean drained = link.drain(settings.drainTimeout());
            if (!drained) {
                LOG.warn("event=drain_incomplete after={} killed=true", settings.drainTimeout());
            }
            runner.close();
            if (!drained && !link.leave(FAREWELL)) {
                LOG.warn("event=goodbye_unheard within={} effect=\"others wait for this worker\"", FAREWELL);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            runner.close();
        }
        link.close();
        keeper.close();
        if (health != null) {
            health.close();
        }
    }
}
