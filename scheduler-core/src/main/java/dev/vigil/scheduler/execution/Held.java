package dev.vigil.scheduler.execution;

import java.util.List;
import java.util.UUID;

/// Whether a worker holds an execution under a fence, as the newest dispatch rows say.
public sealed interface Held {
    /// The execution asked about.
    UUID execution();

    /// The fence asked about.
    long fence();

    /// What a worker claims to hold.
    record Claim(UUID execution, long fence) {}

    /// It holds it: the execution is open, the fence is not stale, the dispatch names this worker and boot.
    ///
    /// @param task           the task it belongs to
    /// @param namespace      number of the namespace
    /// @param payloadVersion version of payload and handler
    /// @param keyId          the data key behind the payload
    /// @param handler        the operation to run
    /// @param references     what the payload names that only a worker resolves
    record Open(
            UUID execution,
            long fence,
            UUID task,
            int namespace,
            int payloadVersion,
            UUID keyId,
            String handler,
            List<String> references)
            implements Held {
        public Open {
            references = List.copyOf(references);
        }
    }

    /// It does not.
    record Refused(UUID execution, long fence, Reason reason) implements Held {}

    /// Why not.
    enum Reason {
        /// No dispatch of this fence names this worker and boot.
        NOT_YOURS,
        /// It was dispatched anew since.
        STALE,
        /// It has ended, or its task was deleted.
        CLOSED
    }
}
