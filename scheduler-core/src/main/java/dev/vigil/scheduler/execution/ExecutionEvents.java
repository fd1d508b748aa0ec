package dev.vigil.scheduler.execution;

import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventBatch;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.scheduler.execution.ExecutionView.State;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The audit events of an execution, framed for the outbox: `dispatch`, `start`, `execute` when an attempt is
/// over, `dispatch_void` when it never ran.
final class ExecutionEvents {
    private ExecutionEvents() {}

    static byte[] dispatch(Due due, UUID worker, long fence, Instant at) {
        return EventBatch.frame(event("dispatch", Result.SUCCESS, due, at)
                .worker(worker)
                .with("attempt", (long) due.attempt() + 1)
                .with("fence", fence));
    }

    static byte[] start(Open open, Instant at) {
        return EventBatch.frame(event("start", Result.SUCCESS, open.due, at)
                .worker(open.worker.worker())
                .with("attempt", (long) open.attempt)
                .with("fence", open.fence()));
    }

    static byte[] dispatchVoid(Open open, String code, Instant at) {
        return EventBatch.frame(event("dispatch_void", Result.FAILURE, open.due, at)
                .worker(open.worker.worker())
                .with("attempt", (long) open.attempt)
                .with("fence", open.fence())
                .with("code", code));
    }

    /// An attempt is over, and the execution goes on.
    static byte[] attempt(Open open, String code, @Nullable Duration duration, Instant at) {
        AuditEvent event = event("execute", Result.FAILURE, open.due, at)
                .worker(open.worker.worker())
                .with("attempt", (long) open.attempt)
                .with("fence", open.fence())
                .with("state", "waiting")
                .with("code", code);
        return EventBatch.frame(duration == null ? event : event.durationMillis(duration.toMillis()));
    }

    /// The execution is over.
    static byte[] end(Due due, @Nullable Open open, Ending ending, Instant at) {
        AuditEvent event = event("execute", ending.state == State.SUCCEEDED ? Result.SUCCESS : Result.FAILURE, due, at)
                .with("attempt", (long) (open == null ? due.attempt() : open.attempt))
                .with("state", ending.state.name().toLowerCase(Locale.ROOT));
        if (open != null) {
            event.worker(open.worker.worker()).with("fence", open.workerFence);
        }
        if (ending.code != null) {
            event.with("code", ending.code);
        }
        return EventBatch.frame(ending.duration == null ? event : event.durationMillis(ending.duration.toMillis()));
    }

    /// An occurrence that its schedule passes over.
    static byte[] skipped(ScheduleRows.Row row, FirePlan.Skip skip, Instant at) {
        return EventBatch.frame(AuditEvent.of(EventType.TASK_EXECUTION, "execute", Result.FAILURE, at)
                .user(row.facts().owner())
                .namespace(row.namespace())
                .task(row.task())
                .execution(FireId.of(row.task(), skip.at()))
                .with("state", "skipped")
                .with("code", skip.code()));
    }

    /// How it ended.
    record Ending(
            State state, @Nullable String code, @Nullable Duration duration) {}

    private static AuditEvent event(String action, Result result, Due due, Instant at) {
        return AuditEvent.of(EventType.TASK_EXECUTION, action, result, at)
                .user(due.task().owner())
                .namespace(due.task().namespace())
                .task(due.task().id())
                .execution(due.id());
    }
}
