package dev.vigil.api.access;

import dev.vigil.api.web.CallWatch;
import dev.vigil.api.web.Caller;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.Outbox;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.transaction.support.TransactionTemplate;

/// Writes calls, sign-ins and refusals to the outbox: many events in a row, a few times a second. A flood of refused
/// calls becomes one counted event per address and minute. When the outbox cannot be written for so long that the queue
/// is full, calls are refused instead of going unrecorded.
final class CallLog implements CallWatch, SmartLifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(CallLog.class);
    private static final int WAITING_MAX = 20_000;
    private static final int BATCH_MAX = 500;
    private static final int SINGLE_REFUSALS = 20;
    private static final int ADDRESSES_MAX = 50_000;
    private static final long FLUSH_MILLIS = 200;
    /// Refusals of somebody who showed something; a call without any credentials is only counted by the rate limit.
    private static final Set<Code> REFUSED_CREDENTIALS = EnumSet.of(
            Code.INVALID_TOKEN,
            Code.CERTIFICATE_REQUIRED,
            Code.CERTIFICATE_REFUSED,
            Code.JOIN_TOKEN_INVALID,
            Code.JOIN_TOKEN_EXPIRED);

    private static final long MINUTE = 60;
    private static final int ROWS_MAX = 1_000;

    private final ArrayBlockingQueue<AuditEvent> waiting = new ArrayBlockingQueue<>(WAITING_MAX);
    private final Map<String, Refusals> refusals = new ConcurrentHashMap<>();
    private final Map<String, Instant> brokenRows = new ConcurrentHashMap<>();
    private final Outbox outbox;
    private final TransactionTemplate transaction;
    private final InstantSource time;
    private List<AuditEvent> unwritten = List.of();
    private volatile @Nullable ScheduledExecutorService clock;

    /// Refused calls of one address in one minute.
    ///
    /// @param minute since the epoch
    /// @param count  all of them, those with an event of their own included
    private record Refusals(long minute, int count) {}

    CallLog(Outbox outbox, TransactionTemplate transaction, InstantSource time) {
        this.outbox = outbox;
        this.transaction = transaction;
        this.time = time;
    }

    @Override
    public boolean accepts() {
        return waiting.remainingCapacity() > 0;
    }

    @Override
    public void answered(Answered call) {
        Caller caller = call.caller();
        if (caller == null) {
            if (call.code() != null && REFUSED_CREDENTIALS.contains(call.code())) {
                String action = call.operation() == null ? "unknown_route" : call.operation();
                refused(event(EventType.AUTHENTICATION, action, Result.FAILURE, call), call.address());
            }
            return;
        }
        boolean denied = call.status() == 403;
        AuditEvent event = event(
                        denied ? EventType.AUTHORIZATION_FAILURE : EventType.API_CALL,
                        call.operation() == null ? "unknown_route" : call.operation(),
                        denied ? Result.DENIED : call.status() < 400 ? Result.SUCCESS : Result.FAILURE,
                        call)
                .user(caller.id())
                .namespace(caller.namespace())
                .durationMillis(call.duration().toMillis());
        if (caller.key() != null) {
            event.with("api_key", caller.token());
        }
        if (denied || call.status() == 429) {
            refused(event, call.address());
        } else {
            add(event);
        }
    }

    private AuditEvent event(EventType type, String action, Result result, Answered call) {
        AuditEvent event = AuditEvent.of(type, action, result, time.instant())
                .with("method", call.method())
                .with("status", (long) call.status())
                .with("ip_address", call.address())
                .with("request_id", call.requestId());
        return call.code() == null ? event : event.with("reason", call.code().label());
    }

    /// A sign-in, or a token, that was granted or refused.
    void signIn(AuditEvent event, String address, boolean success) {
        event.with("ip_address", address);
        if (success) {
            add(event);
        } else {
            refused(event, address);
        }
    }

    /// A row that confers power and has not the HMAC it should have: SQL wrote it. It is refused each time it is read,
    /// and recorded at most once a minute.
    void brokenRow(String row) {
        Instant now = time.instant();
        if (brokenRows.size() >= ROWS_MAX) {
            brokenRows.clear();
        }
        Instant last = brokenRows.put(row, now);
        if (last != null && Duration.between(last, now).toSeconds() < MINUTE) {
            brokenRows.put(row, last);
            return;
        }
        LOG.error("event=row_seal_broken row={} it is refused; somebody wrote to the database by hand", row);
        add(AuditEvent.of(EventType.AUTHORIZATION_FAILURE, "load_row", Result.DENIED, now)
                .with("row", row)
                .with("reason", "row_seal_broken"));
    }

    private void refused(AuditEvent event, String address) {
        long minute = time.instant().getEpochSecond() / MINUTE;
        String key = refusals.size() < ADDRESSES_MAX || refusals.containsKey(address) ? address : "many";
        Refusals seen = refusals.merge(
                key,
                new Refusals(minute, 1),
                (old, one) -> old.minute == minute ? new Refusals(minute, old.count + 1) : carryOver(key, old, one));
        if (seen.count <= SINGLE_REFUSALS) {
            add(event);
        }
    }

    private Refusals carryOver(String address, Refusals old, Refusals fresh) {
        if (old.count > SINGLE_REFUSALS) {
            add(counted(address, old));
        }
        return fresh;
    }

    private AuditEvent counted(String address, Refusals refusals) {
        return AuditEvent.of(EventType.AUTHENTICATION, "refused_calls", Result.DENIED, time.instant())
                .with("ip_address", address)
                .with("from", Instant.ofEpochSecond(refusals.minute * MINUTE).toString())
                .with("count", (long) refusals.count - SINGLE_REFUSALS);
    }

    private void add(AuditEvent event) {
        if (!waiting.offer(event)) {
            LOG.error("event=audit_backlog_full waiting={} calls are refused until the outbox is written", WAITING_MAX);
        }
    }

    /// Writes what waits.
    synchronized void flush() {
        try {
            closeMinutes();
            do {
                if (unwritten.isEmpty()) {
                    var batch = new ArrayList<AuditEvent>();
                    waiting.drainTo(batch, BATCH_MAX);
                    unwritten = batch;
                }
                List<AuditEvent> batch = unwritten;
                transaction.executeWithoutResult(_ -> outbox.append(batch));
                unwritten = List.of();
            } while (!waiting.isEmpty());
        } catch (RuntimeException e) {
            LOG.warn("event=audit_outbox_not_written events={} they are written when it answers", unwritten.size(), e);
        }
    }

    private void closeMinutes() {
        long minute = time.instant().getEpochSecond() / MINUTE;
        refusals.forEach((address, seen) -> {
            if (seen.minute < minute && refusals.remove(address, seen) && seen.count > SINGLE_REFUSALS) {
                add(counted(address, seen));
            }
        });
    }

    @Override
    public void start() {
        ScheduledExecutorService started = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().name("call-log").daemon().factory());
        var _ = started.scheduleWithFixedDelay(this::flush, FLUSH_MILLIS, FLUSH_MILLIS, TimeUnit.MILLISECONDS);
        clock = started;
    }

    @Override
    public void stop() {
        ScheduledExecutorService running = clock;
        if (running != null) {
            running.shutdown();
            flush();
        }
        clock = null;
    }

    @Override
    public boolean isRunning() {
        return clock != null;
    }
}
