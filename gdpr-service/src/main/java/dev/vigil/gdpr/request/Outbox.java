package dev.vigil.gdpr.request;

import dev.vigil.edge.Code;
import dev.vigil.edge.Problem;
import dev.vigil.edge.RefusedException;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventBatch;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.TransientDataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The table `gdpr.outbox`: audit events of this service, in the transaction of the change they tell of.
final class Outbox {
    private final JdbcClient db;

    Outbox(JdbcClient db) {
        this.db = db;
    }

    /// Appends one event; when that fails, so does the change.
    void append(AuditEvent event) {
        try {
            db.sql("""
                            INSERT INTO gdpr.outbox (n, events)
                            VALUES (1, :events)
                            """).param("events", EventBatch.frame(event)).update();
        } catch (TransientDataAccessException e) {
            throw e;
        } catch (DataAccessException _) {
            throw new RefusedException(Problem.passing(
                    Code.AUDIT_UNAVAILABLE,
                    "The audit trail cannot be written, so nothing was changed; try again later."));
        }
    }
}
