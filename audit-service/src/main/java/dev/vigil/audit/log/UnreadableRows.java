package dev.vigil.audit.log;

import dev.vigil.audit.log.Leaf.Unreadable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The table `audit.unreadable`: what came as an event and is none.
final class UnreadableRows {
    private final JdbcClient db;

    UnreadableRows(JdbcClient db) {
        this.db = db;
    }

    /// Keeps the bytes. Those that are kept already, as after a move to another cluster, stay as they are.
    void append(Unreadable unreadable) {
        db.sql("""
                        INSERT INTO audit.unreadable (source, xid, id, place, why, bytes)
                        VALUES (:source, CAST(:xid AS xid8), :id, :place, :why, :bytes)
                        ON CONFLICT DO NOTHING
                        """)
                .param("source", unreadable.source())
                .param("xid", Long.toUnsignedString(unreadable.position().xid()))
                .param("id", unreadable.position().id())
                .param("place", unreadable.place())
                .param("why", unreadable.why())
                .param("bytes", unreadable.bytes())
                .update();
    }
}
