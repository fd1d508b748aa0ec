package dev.vigil.agent.handler;

import java.time.Duration;
import java.util.Optional;

/// How an attempt ended. An outcome is never an exception.
public sealed interface Outcome {

    /// From the start of the attempt until this outcome was known; zero when it never started.
    Duration duration();

    /// True when no process of the attempt is left: its tree was killed, reaped, and its cgroup was seen empty.
    /// After a cancel or a timeout this is false only if the kernel refused to end it. A pooled process that
    /// answered in good order stays alive for the next execution, and this is false.
    boolean processGone();

    /// The handler did what it was asked.
    ///
    /// @param output JSON text, at most 1 MiB; copied in and out
    record Done(byte[] output, Duration duration, boolean processGone) implements Outcome {
        public Done {
            output = output.clone();
        }

        @Override
        public byte[] output() {
            return output.clone();
        }

        @Override
        public String toString() {
            return "Done[" + output.length + " bytes, " + duration + ", processGone=" + processGone + "]";
        }
    }

    /// The attempt failed. It may be tried again where [#retryable] and the task's retry policy agree.
    ///
    /// @param why         code and sentence
    /// @param retryable   false when trying again cannot help
    /// @param retryAfter  the shortest wait that the handler asked for
    record Failed(Failure why, boolean retryable, Optional<Duration> retryAfter, Duration duration, boolean processGone)
            implements Outcome {}

    /// It ran longer than its timeout and was killed.
    record TimedOut(Duration duration, boolean processGone) implements Outcome {}

    /// It was cancelled and did not finish within its grace.
    record Cancelled(Duration duration, boolean processGone) implements Outcome {}

    /// It never started on this worker, so no attempt is burned.
    ///
    /// @param reason what is missing, for the operator
    record Refused(Reason reason, String detail) implements Outcome {
        @Override
        public Duration duration() {
            return Duration.ZERO;
        }

        @Override
        public boolean processGone() {
            return true;
        }
    }

    /// It started, and the watchdog killed it because no core owned it any longer, or the agent is closing. Whoever
    /// owns the execution has dispatched it again or will; no attempt is burned.
    record Abandoned(String detail, Duration duration, boolean processGone) implements Outcome {}

    /// Code and sentence of a failure. The sentence may hold what the handler wrote, so it is sealed like a result
    /// and not printed.
    ///
    /// @param code   `[a-z0-9_]`, at most 64 characters
    /// @param detail at most 4,096 characters, for the owner of the task
    record Failure(String code, String detail) {
        @Override
        public String toString() {
            return "Failure[" + code + "]";
        }
    }

    /// Why a worker does not take an execution.
    enum Reason {
        /// Every slot is taken.
        NO_SLOT,
        /// This worker has no handler of that name, or cannot run its kind.
        UNKNOWN_HANDLER,
        /// The sandbox or its watchdog does not hold on this machine; the detail names the failed check.
        NO_SANDBOX,
        /// The runner is draining or closed.
        DRAINING,
        /// An earlier attempt of the same execution has no outcome yet.
        ALREADY_RUNNING
    }
}
