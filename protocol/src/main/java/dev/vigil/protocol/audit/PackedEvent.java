package dev.vigil.protocol.audit;

import java.time.Instant;
import java.util.UUID;

/// An audit event of a kind that there are many of. Whoever makes it packs what differs between them into some hundred
/// bytes, and whoever reads the outbox ([EventBatch#split]) writes the canonical JSON out: the same bytes that an
/// [AuditEvent] of these fields has, whenever and wherever that is done. The first byte says of which kind it is: the
/// number of an [ExecutionEvent.Action], or that of [CreateEvent].
public sealed interface PackedEvent permits CreateEvent, ExecutionEvent {
    /// The event's id.
    UUID id();

    /// When it happened.
    Instant at();

    /// The event as the audit tree has it.
    AuditEvent auditEvent();
}
