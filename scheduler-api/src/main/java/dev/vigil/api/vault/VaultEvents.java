package dev.vigil.api.vault;

import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventBatch;
import java.util.List;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/// Writes the vault's audit events.
final class VaultEvents {
    private final JdbcClient db;
    private final TransactionTemplate alone;

    VaultEvents(JdbcClient db, PlatformTransactionManager transactions) {
        this.db = db;
        alone = new TransactionTemplate(transactions);
        alone.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
    }

    /// In the caller's transaction: no event, no change.
    void append(AuditEvent... events) {
        db.sql("""
                        INSERT INTO access.outbox (n, events)
                        VALUES (:n, :events)
                        """)
                .param("n", events.length)
                .param("events", EventBatch.frame(List.of(events)))
                .update();
    }

    /// In a transaction of its own, for refusals and failures that must stay on record when the caller rolls back.
    void appendAlone(AuditEvent... events) {
        alone.executeWithoutResult(_ -> append(events));
    }
}
