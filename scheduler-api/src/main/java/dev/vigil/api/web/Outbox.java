package dev.vigil.api.web;

import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventBatch;
import java.util.List;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.TransientDataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The table `access.outbox`: audit events of this service, written in the transaction of the change they tell of.
public final class Outbox {
    private final JdbcClient db;

    public Outbox(JdbcClient db) {
        this.db = db;
    }

    /// Appends events in the transaction of the caller. When that fails, so does the change.
    ///
    /// @throws ProblemException 503 `audit_unavailable`
    public void append(List<AuditEvent> events) {
        if (events.isEmpty()) {
            return;
        }
        try {
            db.sql("""
                            INSERT INTO access.outbox (n, events)
                            VALUES (:n, :events)
                            """)
                    .param("n", events.size())
                    .param("events", EventBatch.frame(events))
                    .update();
        } catch (TransientDataAccessException e) {
            throw e;
        } catch (DataAccessException e) {
            throw new ProblemException(Problem.auditUnavailable());
        }
    }
}
