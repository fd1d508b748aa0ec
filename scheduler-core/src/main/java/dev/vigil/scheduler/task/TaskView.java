package dev.vigil.scheduler.task;

import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// A task as it stands, payload apart.
///
/// @param id             its id
/// @param namespace      number of the namespace
/// @param owner          who created it
/// @param version        1 for a new task
/// @param draft          what was asked
/// @param state          what has been promised by now, commands not yet carried out included
/// @param nextFireAt     when it fires next; null when it is finished or paused
/// @param createdAt      by the database's clock
/// @param keyId          the data key behind its payload
/// @param payloadVersion version of payload and handler
public record TaskView(
        UUID id,
        int namespace,
        UUID owner,
        int version,
        TaskDraft draft,
        State state,
        @Nullable Instant nextFireAt,
        Instant createdAt,
        UUID keyId,
        int payloadVersion) {

    /// How far a task is.
    public enum State {
        /// It will fire, or its last execution has not ended.
        SCHEDULED,
        /// It does not fire until it is resumed.
        PAUSED,
        /// It will never fire again and its last execution has ended.
        FINISHED
    }

    /// Names it.
    public TaskRef ref() {
        return new TaskRef(namespace, id);
    }
}
