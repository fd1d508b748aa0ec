package dev.vigil.gdpr.request;

import dev.vigil.edge.RefusedException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Works on running requests, one at a time, the longest waiting first. Several instances share the table: each holds
/// what it works on for a few seconds at a time, so what one leaves behind when it dies goes on soon after.
public final class RequestWorker implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RequestWorker.class);
    private static final Duration HOLD = Duration.ofSeconds(10);
    private static final long HOLD_AGAIN_SECONDS = 3;
    private static final Duration WAIT = Duration.ofMillis(300);
    private static final Duration AFTER_FAILURE = Duration.ofSeconds(2);
    private static final long IDLE_MILLIS = 300;
    /// How often exports are looked for that have expired.
    private static final long SWEEP_NANOS = Duration.ofSeconds(10).toNanos();

    private final Requests requests;
    private final Exports exports;
    private final InstantSource time;
    private final Fulfilment fulfilment;
    private final Semaphore news = new Semaphore(0);
    private final ScheduledExecutorService holder = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("subject-request-hold").factory());
    private @Nullable Thread thread;
    private long swept = System.nanoTime() - SWEEP_NANOS;

    RequestWorker(Fulfilment.Store store, Fulfilment fulfilment) {
        this.requests = store.requests();
        this.exports = store.exports();
        this.time = store.time();
        this.fulfilment = fulfilment;
    }

    /// Begins to work.
    public void start() {
        thread = Thread.ofPlatform().daemon().name("subject-requests").start(this::work);
    }

    /// Says that there is something to do.
    void wake() {
        news.release();
    }

    private void work() {
        while (!Thread.currentThread().isInterrupted()) {
            try {
                sweep();
                Optional<SubjectRequest> taken = requests.take(HOLD);
                if (taken.isPresent()) {
                    advance(taken.get());
                } else if (news.tryAcquire(IDLE_MILLIS, TimeUnit.MILLISECONDS)) {
                    news.drainPermits();
                }
            } catch (InterruptedException _) {
                return;
            } catch (RuntimeException e) {
                LOG.warn("event=subject_requests_wait reason=\"{}\"", e.getMessage());
                pause();
            }
        }
    }

    /// An export that has expired goes, whether anybody asks for it or not.
    private void sweep() {
        if (System.nanoTime() - swept >= SWEEP_NANOS) {
            exports.deleteExpired(time.instant());
            swept = System.nanoTime();
        }
    }

    private void advance(SubjectRequest request) {
        var held = holder.scheduleWithFixedDelay(
                () -> holdOn(request.id()), HOLD_AGAIN_SECONDS, HOLD_AGAIN_SECONDS, TimeUnit.SECONDS);
        try {
            switch (fulfilment.advance(request)) {
                case ENDED -> LOG.info("event=subject_request_ended request={}", request.publicId());
                case GO_ON -> requests.giveBack(request.id(), Duration.ZERO, null);
                case WAIT -> requests.giveBack(request.id(), WAIT, null);
            }
        } catch (RefusedException e) {
            LOG.warn(
                    "event=subject_request_delayed request={} reason=\"{}\"",
                    request.publicId(),
                    e.problem().detail());
            requests.giveBack(request.id(), AFTER_FAILURE, e.problem().detail());
        } catch (RuntimeException e) {
            LOG.error("event=subject_request_failed request={} it is tried again", request.publicId(), e);
            requests.giveBack(
                    request.id(),
                    AFTER_FAILURE.multipliedBy(5),
                    "A step failed and is tried again; see the service's log.");
        } finally {
            held.cancel(false);
        }
    }

    private void holdOn(UUID request) {
        try {
            requests.hold(request, HOLD);
        } catch (RuntimeException e) {
            LOG.warn(
                    "event=subject_request_not_held reason=\"{}\"; another instance may repeat a step", e.getMessage());
        }
    }

    private static void pause() {
        try {
            Thread.sleep(AFTER_FAILURE);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        Thread running = thread;
        if (running != null) {
            running.interrupt();
        }
        holder.shutdownNow();
    }
}
