package dev.vigil.api.vault;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/// Drops keys from memory that another node destroyed. When the database cannot be asked, they go with their time.
final class KeyWatch implements SmartLifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(KeyWatch.class);

    private final DataKeys keys;
    private volatile @Nullable ScheduledExecutorService clock;

    KeyWatch(DataKeys keys) {
        this.keys = keys;
    }

    @Override
    public void start() {
        ScheduledExecutorService started = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().name("key-watch").daemon().factory());
        var _ = started.scheduleWithFixedDelay(this::look, 1, 1, TimeUnit.SECONDS);
        clock = started;
    }

    private void look() {
        try {
            keys.forgetDestroyed();
        } catch (RuntimeException e) {
            LOG.warn("event=key_watch_failed reason=\"{}\"; keys in memory expire within a minute", e.getMessage());
        }
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
