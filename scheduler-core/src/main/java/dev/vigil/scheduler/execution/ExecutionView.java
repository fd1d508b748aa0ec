package dev.vigil.scheduler.execution;

import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// An execution as it stands; what the handler returned is read apart.
///
/// @param id             its id, which is also its idempotency key
/// @param taskId         the task it is an occurrence of
/// @param namespace      number of the namespace
/// @param owner          the task's owner
/// @param handler        the operation
/// @param state          how far it is
/// @param attempt        1 for the first; 0 when none has begun
/// @param scheduledFor   the occurrence it stands for
/// @param startedAt      when its newest attempt was dispatched; null while it waits
/// @param finishedAt     when it ended; null while it is open
/// @param duration       how long the last attempt ran; null while it is open or when it never ran
/// @param workerId       who runs or ran it; null while it waits or when it never ran
/// @param errorCode      the error's code; null unless it failed
/// @param payloadVersion version of payload and handler, for opening its result
/// @param keyId          the data key, for opening its result
/// @param fence          of the attempt that ended it; 0 while it is open or when it never ran
public record ExecutionView(
        UUID id,
        UUID taskId,
        int namespace,
        UUID owner,
        String handler,
        State state,
        int attempt,
        Instant scheduledFor,
        @Nullable Instant startedAt,
        @Nullable Instant finishedAt,
        @Nullable Duration duration,
        @Nullable UUID workerId,
        @Nullable String errorCode,
        int payloadVersion,
        UUID keyId,
        long fence) {

    /// How far an execution is. The codes of the ended ones are stored.
    public enum State {
        /// For a retry or for its predecessor.
        WAITING(0),
        /// By a pause.
        HELD(0),
        QUEUED(0),
        RUNNING(0),
        SUCCEEDED(1),
        /// Its attempts are used up.
        FAILED(2),
        TIMED_OUT(3),
        CANCELLED(4),
        /// By the overlap or misfire policy.
        SKIPPED(5);

        private final int code;
        private final String label = name().toLowerCase(Locale.ROOT);

        State(int code) {
            this.code = code;
        }

        /// Its name for people.
        String label() {
            return label;
        }

        /// Its number in the database; 0 while it is open.
        int code() {
            return code;
        }

        static State ended(int code) {
            for (State state : values()) {
                if (state.code == code && code != 0) {
                    return state;
                }
            }
            throw new IllegalStateException("history row of state " + code + "; was it written by a newer version?");
        }
    }
}
