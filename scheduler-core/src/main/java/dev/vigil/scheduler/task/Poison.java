package dev.vigil.scheduler.task;

import org.springframework.dao.NonTransientDataAccessResourceException;
import org.springframework.dao.RecoverableDataAccessException;
import org.springframework.dao.TransientDataAccessException;
import org.springframework.transaction.TransactionException;

/// Tells a batch that failed by what is in it from one that failed with the database.
public final class Poison {
    private Poison() {}

    /// Whether a part of the batch may succeed: a database that is away or busy fails every part alike.
    public static boolean isPossible(RuntimeException failure) {
        return !(failure instanceof NonTransientDataAccessResourceException
                || failure instanceof TransientDataAccessException
                || failure instanceof RecoverableDataAccessException
                || failure instanceof TransactionException);
    }
}
