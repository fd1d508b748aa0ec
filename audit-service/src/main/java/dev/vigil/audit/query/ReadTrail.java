package dev.vigil.audit.query;

import dev.vigil.audit.log.Outbox;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;

/// Writes into the log who reads the log, and whose calls were refused. The event is committed before the answer goes
/// out. What comes in floods (refused calls, the hundreds of bundles of one download) is written at once the first
/// time, and then counted: one more event a minute says how many more there were.
public final class ReadTrail implements AutoCloseable {
    private static final Duration WINDOW = Duration.ofMinutes(1);
    private static final int COUNTED_MAX = 10_000;
    private static final Logger LOG = LoggerFactory.getLogger(ReadTrail.class);

    private final Outbox outbox;
    private final InstantSource time;
    private final Map<Occasion, Window> windows = new HashMap<>();
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final Thread counts =
            Thread.ofPlatform().name("audit-counts").daemon().unstarted(this::flushUntilStopped);

    /// Writes through that outbox.
    public ReadTrail(Outbox outbox, InstantSource time) {
        this.outbox = outbox;
        this.time = time;
    }

    /// What happened to whom.
    ///
    /// @param type    audit_read, authentication or authorization_failure
    /// @param action  which call
    /// @param result  how it ended
    /// @param user    null when nobody was recognised
    /// @param address where the call came from
    record Occasion(
            EventType type,
            String action,
            Result result,
            @Nullable UUID user,
            String address) {}

    private static final class Window {
        private final long opened;
        private long more;

        Window(long opened) {
            this.opened = opened;
        }
    }

    /// Records one call.
    ///
    /// @param details further fields of the event
    /// @return false when it could not be stored; the answer must not go out then
    boolean record(Occasion occasion, Map<String, String> details) {
        AuditEvent event = event(occasion);
        details.forEach(event::with);
        return store(event);
    }

    /// Records a call of a kind that comes in floods.
    ///
    /// @return false when it could not be stored; the answer must not go out then
    synchronized boolean count(Occasion occasion) {
        Window window = windows.get(occasion);
        if (window != null && System.nanoTime() - window.opened < WINDOW.toNanos()) {
            window.more++;
            return true;
        }
        if (windows.size() >= COUNTED_MAX) {
            flush(true);
        }
        if (window != null) {
            flush(occasion, window);
        }
        windows.put(occasion, new Window(System.nanoTime()));
        return store(event(occasion).with("count", 1L));
    }

    /// Starts the thread that writes the counts.
    public void start() {
        counts.start();
    }

    /// Writes what is counted so far and ends.
    @Override
    public void close() {
        stopped.countDown();
        flush(true);
    }

    private void flushUntilStopped() {
        try {
            while (!stopped.await(WINDOW.toSeconds(), TimeUnit.SECONDS)) {
                flush(false);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void flush(boolean all) {
        long now = System.nanoTime();
        windows.entrySet().removeIf(entry -> {
            boolean over = all || now - entry.getValue().opened >= WINDOW.toNanos();
            if (over) {
                flush(entry.getKey(), entry.getValue());
            }
            return over;
        });
    }

    private void flush(Occasion occasion, Window window) {
        if (window.more > 0) {
            store(event(occasion).with("count", window.more));
        }
    }

    private AuditEvent event(Occasion occasion) {
        AuditEvent event = AuditEvent.of(occasion.type(), occasion.action(), occasion.result(), time.instant())
                .with("ip_address", occasion.address());
        return occasion.user() == null ? event : event.user(occasion.user());
    }

    private boolean store(AuditEvent event) {
        try {
            outbox.append(List.of(event));
            return true;
        } catch (DataAccessException e) {
            LOG.warn("event=audit_read_not_stored; the call is answered 503", e);
            return false;
        }
    }
}
