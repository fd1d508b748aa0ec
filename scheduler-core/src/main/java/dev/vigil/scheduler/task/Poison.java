package dev.vigil.scheduler.task;

import java.sql.SQLException;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.dao.NonTransientDataAccessResourceException;
import org.springframework.dao.RecoverableDataAccessException;
import org.springframework.dao.TransientDataAccessException;
import org.springframework.transaction.TransactionException;

/// Tells a batch that failed by what is in it from one that failed with the database.
public final class Poison {
    private Poison() {}

    /// The first two digits of the SQL states of a transaction that is not allowed to go on (PostgreSQL, appendix A),
    /// such as
    /// one that took longer than `transaction_timeout`.
    private static final String TRANSACTION_STATE = "25";

    /// Whether a part of the batch may succeed: a database that is away or busy fails every part alike.
    public static boolean isPossible(RuntimeException failure) {
        return !(failure instanceof NonTransientDataAccessResourceException
                || failure instanceof TransientDataAccessException
                || failure instanceof RecoverableDataAccessException
                || failure instanceof TransactionException
                || wasEnded(failure));
    }

    private static boolean wasEnded(RuntimeException failure) {
        return NestedExceptionUtils.getMostSpecificCause(failure) instanceof SQLException cause
                && String.valueOf(cause.getSQLState()).startsWith(TRANSACTION_STATE);
    }
}
