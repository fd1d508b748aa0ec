package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.UpkeepRows.Place;
import dev.vigil.scheduler.execution.UpkeepRows.Swept;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.NestedExceptionUtils;

/// Makes partitions ahead of time and removes what is over, in small steps on a thread and a connection of its own,
/// so that nothing waits for it. Every core has one; of two that meet, the second finds nothing to do.
final class Caretaker implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Caretaker.class);
    private static final Duration ROUND = Duration.ofMinutes(1);
    private static final Duration SOON = Duration.ofSeconds(1);

    /// It rests that many times as long as a step took, so that its work is never felt.
    private static final int REST = 10;

    /// From the start to the first look through all tasks: a core that has just started has other things to do.
    private static final Duration SETTLING = Duration.ofMinutes(1);

    /// Between two looks through all tasks.
    private static final Duration PASS = Duration.ofHours(1);

    private final LoopState.Core core;
    private final CoreConnection connection;
    private final Retention retention;
    private final CountDownLatch stop = new CountDownLatch(1);
    private final Thread thread;
    private @Nullable Place place = Place.START;
    private long passedAt;
    private final long lookFrom = System.nanoTime() + SETTLING.toNanos();
    private boolean partitioned;

    Caretaker(LoopState.Core core, CoreConnection connection, Retention retention) {
        this.core = core;
        this.connection = connection;
        this.retention = retention;
        this.thread = Thread.ofPlatform().name("vigil-upkeep").daemon(true).unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    private void run() {
        try {
            Duration wait;
            do {
                wait = round();
            } while (!stop.await(wait.toMillis(), TimeUnit.MILLISECONDS));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } finally {
            connection.close();
        }
    }

    /// @return until the next one
    private Duration round() {
        if (!core.mayAct()) {
            return SOON; // It begins, or may be cut off from the database.
        }
        long began = System.nanoTime();
        try {
            partitioned = partitioned || !partitions();
            if (!partitioned || tasks()) {
                return Duration.ofNanos(REST * (System.nanoTime() - began));
            }
        } catch (RuntimeException failure) {
            // A lock that was not to be had in time, mostly.
            LOG.info(
                    "event=upkeep_put_off reason=\"{}\" next={}",
                    NestedExceptionUtils.getMostSpecificCause(failure).getMessage(),
                    ROUND);
            connection.close();
        }
        partitioned = false;
        return ROUND;
    }

    /// @return whether there may be more to do
    private boolean partitions() {
        Optional<String> done = UpkeepRows.partitions(connection.db(), retention);
        done.ifPresent(what -> LOG.info("event=upkeep done=\"{}\"", what));
        return done.isPresent();
    }

    /// @return whether the pass goes on
    private boolean tasks() {
        if (System.nanoTime() - lookFrom < 0) {
            return false;
        }
        Place from = place;
        if (from == null) {
            if (System.nanoTime() - passedAt < PASS.toNanos()) {
                return false;
            }
            from = Place.START;
        }
        Swept swept = UpkeepRows.tasks(connection.db(), retention, from);
        place = swept.next();
        if (swept.removed() > 0) {
            LOG.info("event=upkeep done=\"removed versions of tasks: {}\"", swept.removed());
        }
        if (place == null) {
            passedAt = System.nanoTime();
            UpkeepRows.dependencies(connection.db());
            int results = UpkeepRows.results(connection.db(), retention);
            if (results > 0) {
                LOG.info("event=upkeep done=\"removed results: {}\"", results);
            }
        }
        return place != null;
    }

    @Override
    public void close() {
        stop.countDown();
        try {
            if (!thread.join(Duration.ofSeconds(5))) {
                LOG.warn("event=upkeep_still_at_work");
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
