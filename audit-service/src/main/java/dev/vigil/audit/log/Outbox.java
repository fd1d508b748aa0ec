package dev.vigil.audit.log;

import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventBatch;
import java.util.List;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The table `audit.outbox`: what happened in this service, on its way into the log like every other event.
public final class Outbox {
    private final JdbcClient db;

    /// The outbox, seen through that connection or pool.
    public Outbox(JdbcClient db) {
        this.db = db;
    }

    /// Stores events. They are in the log within a second.
    public void append(List<AuditEvent> events) {
        db.sql("""
                        INSERT INTO audit.outbox (n, events)
                        VALUES (:n, :events)
                        """)
                .param("n", events.size())
                .param("events", EventBatch.frame(events))
                .update();
    }
}
