package dev.vigil.scheduler.execution;

import java.time.Instant;
import java.util.Comparator;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// An open execution as its row says.
///
/// @param shard        its shard
/// @param id           its id
/// @param lane         where it lies in its shard
/// @param dueAt        when it may run
/// @param scheduledFor the occurrence it stands for
/// @param attempt      attempts that are used up
/// @param losses       workers that it cost
/// @param fenceMin     a dispatch below it is stale
/// @param task         its task
/// @param payload      sealed, when it lies in the task's row; null otherwise or when nobody needs it any more
/// @param payloadBytes length of the sealed payload
record Due(
        int shard,
        UUID id,
        int lane,
        Instant dueAt,
        Instant scheduledFor,
        int attempt,
        int losses,
        long fenceMin,
        TaskFacts task,
        byte @Nullable [] payload,
        int payloadBytes) {
    /// Oldest first, as the due index has it.
    static final Comparator<Due> ORDER = Comparator.comparing(Due::dueAt).thenComparing(Due::id, Due::compareIds);

    /// Identifiers in the order of PostgreSQL, which knows no sign: [UUID#compareTo] takes half of them for negative.
    static int compareIds(UUID one, UUID other) {
        int most = Long.compareUnsigned(one.getMostSignificantBits(), other.getMostSignificantBits());
        return most != 0 ? most : Long.compareUnsigned(one.getLeastSignificantBits(), other.getLeastSignificantBits());
    }

    /// The same without its payload, for those who only need to know what runs.
    Due withoutPayload() {
        return new Due(shard, id, lane, dueAt, scheduledFor, attempt, losses, fenceMin, task, null, payloadBytes);
    }
}
