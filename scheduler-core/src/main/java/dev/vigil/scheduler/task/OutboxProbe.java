package dev.vigil.scheduler.task;

import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/// Whether audit events of the engine can be written. A change and its event are one statement, so when that fails
/// its error does not say which of the two it was.
public final class OutboxProbe {
    private final JdbcClient db;
    private final TransactionTemplate transactions;

    /// Asks that database.
    public OutboxProbe(JdbcClient db, PlatformTransactionManager transactions) {
        this.db = db;
        this.transactions = new TransactionTemplate(transactions);
    }

    /// Writes an event and takes it back.
    public boolean writable() {
        try {
            transactions.executeWithoutResult(transaction -> {
                transaction.setRollbackOnly();
                db.sql("INSERT INTO scheduler.outbox (n, events) VALUES (1, ''::bytea)")
                        .update();
            });
            return true;
        } catch (DataAccessException _) {
            return false;
        }
    }
}
