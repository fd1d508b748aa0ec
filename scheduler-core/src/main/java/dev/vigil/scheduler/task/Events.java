package dev.vigil.scheduler.task;

import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventBatch;
import dev.vigil.protocol.audit.PackedEvent;
import java.util.List;

/// Audit events that are stored in the transaction of the change they tell of.
///
/// @param count  how many, at least one
/// @param framed as [EventBatch] frames them
public record Events(int count, byte[] framed) {
    public Events {
        if (count < 1) {
            throw new IllegalArgumentException("a change has " + count + " audit events; it needs at least one");
        }
    }

    /// Frames these events.
    public static Events of(AuditEvent... events) {
        return new Events(events.length, EventBatch.frame(List.of(events)));
    }

    /// Packs and frames an event.
    public static Events of(PackedEvent event) {
        return new Events(1, EventBatch.frame(event));
    }
}
