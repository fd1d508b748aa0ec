package dev.vigil.api.access;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.TransactionException;

/// The table `access.revision`: a number that every change of users, clients and revocations raises. A node that sees
/// it move forgets whom it knew; so a change anywhere is in force everywhere within 2 s.
final class Revisions implements SmartLifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(Revisions.class);
    private static final long LOOK_MILLIS = 750;
    /// What was remembered may be used while the last look is not older.
    private static final long TRUSTED_NANOS = 1_900_000_000L;

    private final JdbcClient db;
    private final AtomicLong generation = new AtomicLong();
    private volatile @Nullable ScheduledExecutorService clock;
    private volatile long looked = System.nanoTime() - 2 * TRUSTED_NANOS;
    private long known = -1;

    Revisions(JdbcClient db) {
        this.db = db;
    }

    /// Grows with every change that this node knows of. What was read under an older one is not used again.
    long generation() {
        return generation.get();
    }

    /// Notes a change, in the transaction of the change.
    void raise() {
        db.sql("UPDATE access.revision SET n = n + 1").update();
    }

    /// After the commit of a change of this node: in force here at once.
    void changed() {
        generation.incrementAndGet();
    }

    /// Whether what is remembered may be used without asking the database.
    boolean fresh() {
        return System.nanoTime() - looked < TRUSTED_NANOS;
    }

    private synchronized void look() {
        long began = System.nanoTime();
        try {
            long now = db.sql("SELECT n FROM access.revision").query(Long.class).single();
            if (now != known) {
                known = now;
                changed();
            }
            looked = began;
        } catch (DataAccessException | TransactionException e) {
            LOG.warn("event=access_revision_unknown callers are looked up in the database until it answers again");
        }
    }

    @Override
    public void start() {
        ScheduledExecutorService started = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().name("access-revision").daemon().factory());
        var _ = started.scheduleWithFixedDelay(this::look, 0, LOOK_MILLIS, TimeUnit.MILLISECONDS);
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
