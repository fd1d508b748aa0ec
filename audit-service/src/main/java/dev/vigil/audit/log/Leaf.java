package dev.vigil.audit.log;

import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventBatch;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.tree.EntryBundle;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// One event on its way into the tree.
///
/// @param bytes      its canonical bytes, which are the leaf
/// @param frame      as the outbox has it, which is what is stored
/// @param keys       what it can be found by
/// @param unreadable what it stands for, when the outbox held something else than an event
record Leaf(
        byte[] bytes,
        byte[] frame,
        EventKeys keys,
        @Nullable Unreadable unreadable) {
    /// Bytes of an outbox that are no event.
    ///
    /// @param source   schema of the outbox
    /// @param position the row
    /// @param place    which event of the row; -1 for the row as a whole
    /// @param why      what is wrong with them
    /// @param bytes    as they came
    record Unreadable(String source, Outboxes.Position position, int place, String why, byte[] bytes) {}

    /// The events of a row. What is unreadable becomes a failure event that names it: it must neither vanish nor stop
    /// everything behind it.
    static List<Leaf> of(Outboxes.Row row, InstantSource time) {
        List<EventBatch.Entry> events;
        try {
            events = EventBatch.read(row.events());
        } catch (IllegalArgumentException e) {
            return List.of(standIn(
                    new Unreadable(row.source(), row.position(), -1, String.valueOf(e.getMessage()), row.events()),
                    time));
        }
        var leaves = new ArrayList<Leaf>(events.size());
        for (int place = 0; place < events.size(); place++) {
            byte[] event = events.get(place).bytes();
            EventKeys keys = event.length > EntryBundle.ENTRY_BYTES_MAX
                    ? null
                    : keys(events.get(place)).orElse(null);
            if (keys != null) {
                leaves.add(new Leaf(event, events.get(place).frame(), keys, null));
            } else {
                String why = event.length > EntryBundle.ENTRY_BYTES_MAX
                        ? "has " + event.length + " bytes, an entry at most " + EntryBundle.ENTRY_BYTES_MAX
                        : "is no audit event: a flat JSON object with id, timestamp, event_type, action and result";
                leaves.add(standIn(new Unreadable(row.source(), row.position(), place, why, event), time));
            }
        }
        return leaves;
    }

    private static Optional<EventKeys> keys(EventBatch.Entry event) {
        return event.packed() == null ? EventKeys.read(event.bytes()) : EventKeys.of(event.packed());
    }

    private static Leaf standIn(Unreadable unreadable, InstantSource time) {
        byte[] bytes = AuditEvent.of(EventType.AUDIT_UNREADABLE, "sequence", Result.FAILURE, time.instant())
                .with("source", unreadable.source())
                .with("outbox_xid", unreadable.position().xid())
                .with("outbox_id", unreadable.position().id())
                .with("place", (long) unreadable.place())
                .with("bytes", (long) unreadable.bytes().length)
                .with("sha256", sha256(unreadable.bytes()))
                .canonicalBytes();
        EventKeys keys = EventKeys.read(bytes)
                .orElseThrow(() -> new IllegalStateException("an event made here lacks id, time, type or result"));
        return new Leaf(bytes, EventBatch.frame(bytes), keys, unreadable);
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is part of every JDK", e);
        }
    }
}
