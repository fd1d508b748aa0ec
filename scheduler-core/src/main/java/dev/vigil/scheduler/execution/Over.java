package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.Attempts.Next;
import dev.vigil.scheduler.execution.EndingRows.Ending;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.OwnerWrites.Requeue;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Something that is over, and how it is stored.
///
/// @param open   null when it was not dispatched
/// @param report the worker's, when it ended it
record Over(
        Due due,
        @Nullable Open open,
        Next next,
        String code,
        @Nullable Reported report) {
    private static final Next.Ends UNSTORABLE = new Next.Ends(State.FAILED, "unstorable");

    /// An end that a worker told.
    record Reported(WorkerBoot worker, AttemptEnd end) {}

    /// Whether it was dispatched and ends: then nothing reads it as due before that is stored.
    boolean isStoredBeside() {
        return open != null && next instanceof Next.Ends;
    }

    /// The same as a failure, without what its worker sent.
    Over unstorable() {
        return new Over(due, open, UNSTORABLE, "unstorable", report);
    }

    boolean isUnstorable() {
        return next.equals(UNSTORABLE);
    }

    Ending ending(Instant now) {
        var end = (Next.Ends) next;
        AttemptEnd told = report == null ? null : report.end;
        Duration duration = told == null ? null : told.duration();
        byte[] event =
                ExecutionEvents.end(due, open, new ExecutionEvents.Ending(end.state(), end.code(), duration), now);
        byte[] start = open == null ? null : open.startEvent;
        return new Ending(
                due,
                end.state(),
                open == null ? due.fenceMin() : told == null ? open.fence() : open.workerFence,
                open == null ? due.attempt() : open.attempt,
                open == null ? null : open.worker.worker(),
                startedAt(duration, now),
                duration,
                end.code(),
                told == null || isUnstorable() ? null : told.result(),
                told != null && !isUnstorable() && told.uploaded(),
                start == null ? event : join(start, event),
                start == null ? 1 : 2);
    }

    private @Nullable Instant startedAt(@Nullable Duration duration, Instant now) {
        if (open == null) {
            return null;
        }
        if (open.startedAt != null || duration == null) {
            return open.startedAt;
        }
        return now.minus(duration);
    }

    Requeue requeue(Instant now) {
        var again = (Next.Again) next;
        Open dispatched = Objects.requireNonNull(open, "only what was dispatched is put back");
        AttemptEnd told = report == null ? null : report.end;
        byte[] event = told == null && again.attempts() == 0 && again.losses() == 0
                ? ExecutionEvents.dispatchVoid(dispatched, code, now)
                : ExecutionEvents.attempt(dispatched, code, told == null ? null : told.duration(), now);
        byte[] start = dispatched.startEvent;
        return new Requeue(
                due,
                dispatched.fence(),
                again.attempts(),
                again.losses(),
                again.delay(),
                start == null ? event : join(start, event),
                start == null ? 1 : 2);
    }

    private static byte[] join(byte[] first, byte[] second) {
        return ByteBuffer.allocate(first.length + second.length)
                .put(first)
                .put(second)
                .array();
    }
}
