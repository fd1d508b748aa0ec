package dev.vigil.api;

import dev.vigil.api.vault.WorkerPortIdentity;
import java.time.Instant;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/// Reloads the worker port when this node's certificate has been issued anew, at half of its life.
final class WorkerPortRenewal implements SmartLifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(WorkerPortRenewal.class);

    private final WorkerPort port;
    private final WorkerPortIdentity identity;
    private Instant shownUntil;
    private volatile @Nullable ScheduledExecutorService clock;

    WorkerPortRenewal(WorkerPort port, WorkerPortIdentity identity) {
        this.port = port;
        this.identity = identity;
        this.shownUntil = identity.renewAfter();
    }

    private void look() {
        try {
            identity.keyStore();
            if (!identity.renewAfter().equals(shownUntil)) {
                port.reload();
                shownUntil = identity.renewAfter();
            }
        } catch (RuntimeException e) {
            LOG.error(
                    "event=worker_port_certificate_not_renewed reason=\"{}\" tried again in a second", e.getMessage());
        }
    }

    @Override
    public void start() {
        ScheduledExecutorService started = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().name("worker-port-renewal").daemon().factory());
        var _ = started.scheduleWithFixedDelay(this::look, 1, 1, TimeUnit.SECONDS);
        clock = started;
    }

    @Override
    public void stop() {
        ScheduledExecutorService running = clock;
        if (running != null) {
            running.shutdownNow();
        }
        clock = null;
    }

    @Override
    public boolean isRunning() {
        return clock != null;
    }
}
