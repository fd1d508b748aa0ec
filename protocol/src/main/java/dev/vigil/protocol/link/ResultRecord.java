package dev.vigil.protocol.link;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// How an attempt ended, on the wire. The worker keeps it until a RESULT_ACK names it.
///
/// @param execution        the execution
/// @param fence            of the dispatch
/// @param outcome          what happened
/// @param durationMillis   how long it ran
/// @param code             the handler's error code; empty when it succeeded
/// @param retryable        whether another attempt may help
/// @param retryAfterMillis the handler's own wait before the next attempt; -1 when it names none
/// @param uploaded         the sealed result lies with the API already
/// @param sealed           sealed result or error detail, at most 16 KiB and the overhead; null when there is none
///                         here
public record ResultRecord(
        UUID execution,
        long fence,
        Outcome outcome,
        long durationMillis,
        String code,
        boolean retryable,
        long retryAfterMillis,
        boolean uploaded,
        byte @Nullable [] sealed) {

    /// Kinds of ends, in the order of their numbers from 1.
    public enum Outcome implements Coded {
        SUCCEEDED(1),
        FAILED(2),
        TIMED_OUT(3),
        CANCELLED(4);

        private final int code;

        Outcome(int code) {
            this.code = code;
        }

        @Override
        public int code() {
            return code;
        }
    }

    @Override
    public String toString() {
        return "ResultRecord[" + execution + " fence " + fence + " " + outcome + "]";
    }
}
