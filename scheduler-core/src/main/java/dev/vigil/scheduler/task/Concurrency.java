package dev.vigil.scheduler.task;

import dev.vigil.scheduler.task.Quotas.Owner;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/// The table `scheduler.concurrency`, as those who set limits see it: how many executions of an owner run at once. The
/// owners of shards keep to it by their permits.
final class Concurrency {
    /// How long what is stored is taken for known: another node may have stored something else.
    private static final long KNOWN_NANOS = Duration.ofSeconds(10).toNanos();

    private static final int UNLIMITED = Integer.MAX_VALUE;

    /// Most owners that are remembered.
    private static final int KNOWN_MAX = 10_000;

    private final JdbcClient db;
    private final Map<Owner, Known> known = new ConcurrentHashMap<>();

    Concurrency(JdbcClient db) {
        this.db = db;
    }

    private record Known(int most, long readAt) {}

    /// Sees to it that this limit stands before something of its owner is stored. Costs a statement when it
    /// changes, and else one in ten seconds.
    ///
    /// @param most null for no limit
    void keep(Owner owner, @Nullable Integer most) {
        int wanted = most == null ? UNLIMITED : most;
        long now = System.nanoTime();
        Known before = known.get(owner);
        if (before == null || before.most != wanted || now - before.readAt > KNOWN_NANOS) {
            set(owner, most);
            remember(owner, new Known(wanted, now));
        }
    }

    /// What a caller's transaction takes back is not known.
    private void remember(Owner owner, Known stored) {
        if (TransactionSynchronizationManager.isActualTransactionActive()) {
            TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {
                @Override
                public void afterCommit() {
                    put(owner, stored);
                }
            });
        } else {
            put(owner, stored);
        }
    }

    private void put(Owner owner, Known stored) {
        if (known.size() >= KNOWN_MAX) {
            known.clear();
        }
        known.put(owner, stored);
    }

    /// Sets a limit.
    ///
    /// @param most null for no limit
    void set(Owner owner, @Nullable Integer most) {
        if (most == null) {
            db.sql("""
                            UPDATE scheduler.concurrency SET most = :most
                             WHERE namespace = :namespace AND owner = :owner AND most <> :most
                            """)
                    .param("namespace", owner.namespace())
                    .param("owner", owner.id())
                    .param("most", UNLIMITED)
                    .update();
            return;
        }
        db.sql("""
                        INSERT INTO scheduler.concurrency AS c (namespace, owner, most) VALUES (:namespace, :owner, :most)
                            ON CONFLICT (namespace, owner) DO UPDATE SET most = excluded.most
                         WHERE c.most <> excluded.most
                        """)
                .param("namespace", owner.namespace())
                .param("owner", owner.id())
                .param("most", most)
                .update();
    }
}
