package dev.vigil.scheduler;

import dev.vigil.protocol.health.HealthPort;
import dev.vigil.protocol.identity.IdentityException;
import dev.vigil.protocol.identity.IdentityKeeper;
import dev.vigil.protocol.identity.IdentitySettings;
import dev.vigil.protocol.identity.Peers;
import dev.vigil.scheduler.execution.Dispatcher;
import dev.vigil.scheduler.execution.Retention;
import dev.vigil.scheduler.task.Statements;
import dev.vigil.scheduler.worker.LinkContext;
import dev.vigil.scheduler.worker.PresenceReports;
import dev.vigil.scheduler.worker.RegisteredWorkers;
import dev.vigil.scheduler.worker.WorkerLink;
import dev.vigil.scheduler.worker.WorkerLinkSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.UUID;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.jdbc.core.simple.JdbcClient;

/// One life of a core: its certificate, the ports for workers, the engine. Starts in that order and ends in reverse.
final class Core implements SmartLifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(Core.class);

    private final CoreSettings.Database database;
    private final CoreSettings.Core settings;
    private final DataSource dataSource;
    private final UUID incarnation = UUID.randomUUID();
    private final InstantSource clock;
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private volatile boolean running;

    Core(CoreSettings settings, DataSource dataSource, InstantSource clock) {
        this.database = settings.database();
        this.settings = settings.core();
        this.dataSource = dataSource;
        this.clock = clock;
    }

    @Override
    public void start() {
        try {
            startParts();
            running = true;
        } catch (IOException e) {
            stop();
            throw new UncheckedIOException("core " + settings.name() + " not started: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            stop();
            Thread.currentThread().interrupt();
            throw new IllegalStateException("core " + settings.name() + " interrupted while starting", e);
        } catch (IdentityException e) {
            stop();
            throw new IllegalStateException("core " + settings.name() + " not started: " + e.getMessage(), e);
        }
    }

    private void startParts() throws IOException, IdentityException, InterruptedException {
        JdbcClient db = Statements.over(dataSource);
        IdentityKeeper identity = started(IdentityKeeper.await(
                new IdentitySettings(
                        settings.stateDir(),
                        settings.apiUrl(),
                        settings.name(),
                        settings.joinToken(),
                        settings.caPin()),
                clock));
        RegisteredWorkers workers = started(new RegisteredWorkers(db));
        var dispatcher = new Dispatcher(
                new Dispatcher.Settings(
                        incarnation,
                        database.url(),
                        database.username(),
                        database.password(),
                        settings.loops(),
                        new Retention(settings.keepDispatches(), settings.keepEnded())),
                new SecureRandom());
        WorkerLink link = started(new WorkerLink(
                linkSettings(),
                new WorkerLink.Trust(identity.serverTls(Peers.workers()), identity.serverTls(Peers.everybody())),
                new WorkerLink.Engine(incarnation, dispatcher),
                new LinkContext(clock, workers, new CloneReport(settings.apiUrl(), identity))));
        String sessionUrl = "https://" + settings.advertisedHost() + ":" + link.sessionsPort();
        started(dispatcher).start(link, sessionUrl);
        link.start();
        workers.start(link::revoke);
        started(new PresenceReports(db, incarnation, link::presence)).start();
        HealthPort health = started(HealthPort.open(
                new InetSocketAddress(settings.host(), settings.managementPort()),
                () -> link.ready() && dispatcher.mayAct()));
        LOG.info(
                "event=core_started name={} incarnation={} sessions={} link_port={} health_port={}",
                settings.name(),
                incarnation,
                sessionUrl,
                link.linkPort(),
                health.port());
    }

    private WorkerLinkSettings linkSettings() {
        WorkerLinkSettings usual = WorkerLinkSettings.onLoopback();
        var bound = new WorkerLinkSettings(
                settings.host(),
                "",
                settings.sessionsPort(),
                settings.linkPort(),
                usual.connectionsMax(),
                usual.connectionsPerAddressMax(),
                settings.sessionLife());
        return settings.advertisedHost().equals(settings.host())
                ? bound
                : bound.advertisedAs(settings.advertisedHost() + ":" + settings.linkPort());
    }

    private <T extends AutoCloseable> T started(T part) {
        parts.push(part);
        return part;
    }

    @Override
    public void stop() {
        running = false;
        for (AutoCloseable part = parts.poll(); part != null; part = parts.poll()) {
            try {
                part.close();
            } catch (Exception e) {
                LOG.warn("event=part_not_ended part={}", part.getClass().getSimpleName(), e);
            }
        }
    }

    @Override
    public boolean isRunning() {
        return running;
    }
}
