package dev.vigil.scheduler.execution;

import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventBatch;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.ExecutionEvent;
import dev.vigil.protocol.audit.ExecutionEvent.Action;
import dev.vigil.protocol.audit.ExecutionEvent.Subject;
import dev.vigil.protocol.audit.Result;
import dev.vigil.scheduler.execution.ExecutionView.State;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The audit events of an execution, framed for the outbox: `dispatch`, `start`, `execute` when an attempt is
/// over, `dispatch_void` when it never ran.
final class ExecutionEvents {
    private ExecutionEvents() {}

    static byte[] dispatch(Due due, UUID worker, long fence, Instant at) {
        return EventBatch.frame(ExecutionEvent.of(Action.DISPATCH, Result.SUCCESS, subject(due, due.attempt() + 1), at)
                .with(worker, fence));
    }

    static byte[] start(Open open, Instant at) {
        return EventBatch.frame(event(Action.START, Result.SUCCESS, open, at));
    }

    static byte[] dispatchVoid(Open open, String code, Instant at) {
        return EventBatch.frame(
                event(Action.DISPATCH_VOID, Result.FAILURE, open, at).with(null, code, null));
    }

    /// An attempt is over, and the execution goes on.
    static byte[] attempt(Open open, String code, @Nullable Duration duration, Instant at) {
        return EventBatch.frame(
                event(Action.EXECUTE, Result.FAILURE, open, at).with("waiting", code, millis(duration)));
    }

    /// The execution is over.
    static byte[] end(Due due, @Nullable Open open, Ending ending, Instant at) {
        Result result = ending.state == State.SUCCEEDED ? Result.SUCCESS : Result.FAILURE;
        int attempt = open == null ? due.attempt() : open.attempt;
        ExecutionEvent event = ExecutionEvent.of(Action.EXECUTE, result, subject(due, attempt), at)
                .with(ending.state.label(), ending.code, millis(ending.duration));
        return EventBatch.frame(open == null ? event : event.with(open.worker.worker(), open.workerFence));
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

    private static ExecutionEvent event(Action action, Result result, Open open, Instant at) {
        return ExecutionEvent.of(action, result, subject(open.due, open.attempt), at)
                .with(open.worker.worker(), open.fence());
    }

    private static Subject subject(Due due, int attempt) {
        TaskFacts task = due.task();
        return new Subject(task.namespace(), task.owner(), task.id(), due.id(), attempt);
    }

    private static @Nullable Long millis(@Nullable Duration duration) {
        return duration == null ? null : duration.toMillis();
    }
}
