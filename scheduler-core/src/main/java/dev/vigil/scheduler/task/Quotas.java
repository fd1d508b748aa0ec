package dev.vigil.scheduler.task;

import java.util.Comparator;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The tables `scheduler.quota` and `scheduler.quota_freed`: how many unfinished tasks the owner of a limit has.
/// Only owners with a limit are counted. Runs inside the caller's transaction, which holds the owner's row
/// until it ends, so the limit is exact however many callers there are.
final class Quotas {
    private final JdbcClient db;
    private final Set<Owner> counted = ConcurrentHashMap.newKeySet();

    Quotas(JdbcClient db) {
        this.db = db;
    }

    /// Takes room for as many as there is, at most `wanted`.
    Grant reserve(Owner owner, int limit, int wanted) {
        if (counted.add(owner)) {
            count(owner);
        }
        return take(owner, limit, wanted).orElseGet(() -> {
            // Somebody else is counting him for the first time and has not committed: counting waits for that row.
            count(owner);
            return take(owner, limit, wanted).orElseThrow();
        });
    }

    private Optional<Grant> take(Owner owner, int limit, int wanted) {
        return db.sql("""
                        WITH freed AS (
                          DELETE FROM scheduler.quota_freed WHERE namespace = :namespace AND owner = :owner RETURNING n
                        ), f AS (
                          SELECT coalesce(sum(n), 0) AS n FROM freed
                        )
                        UPDATE scheduler.quota q
                           SET used = greatest(0, q.used - f.n)
                                      + least(:wanted, greatest(0, :limit - greatest(0, q.used - f.n)))
                          FROM f
                         WHERE q.namespace = :namespace AND q.owner = :owner
                        RETURNING greatest(0, old.used - f.n) AS before, new.used AS after
                        """)
                .param("namespace", owner.namespace)
                .param("owner", owner.id)
                .param("wanted", wanted)
                .param("limit", limit)
                .query((row, index) ->
                        new Grant((int) (row.getLong("after") - row.getLong("before")), row.getLong("after")))
                .optional();
    }

    /// Takes room for one task that is unfinished again, if its owner is counted at all.
    ///
    /// @return why not
    Optional<RetryResult> reopen(Owner owner, Limits limits) {
        Integer limit = limits.maxTasks();
        return take(owner, limit == null ? Integer.MAX_VALUE : limit, 1)
                .filter(grant -> grant.granted == 0)
                .map(grant -> new RetryResult.OverQuota(grant.used, limit == null ? Integer.MAX_VALUE : limit));
    }

    /// Gives room back that was taken in this transaction and not needed.
    void giveBack(Owner owner, int unused) {
        db.sql("UPDATE scheduler.quota SET used = used - :unused WHERE namespace = :namespace AND owner = :owner")
                .param("unused", unused)
                .param("namespace", owner.namespace)
                .param("owner", owner.id)
                .update();
    }

    /// Forgets an owner who has no limit at the moment: what he creates now is not counted, so it is counted
    /// anew when he has one again.
    void forget(Owner owner) {
        counted.remove(owner);
    }

    /// A failed transaction may have taken the count back.
    void forgetAll() {
        counted.clear();
    }

    /// Counts anew. The row is locked first and counted by a later statement, which therefore sees all that
    /// those who held the lock before have created; what is freed meanwhile is appended and subtracted later.
    private void count(Owner owner) {
        db.sql("""
                        INSERT INTO scheduler.quota (namespace, owner, used) VALUES (:namespace, :owner, 0)
                            ON CONFLICT DO NOTHING
                        """).param("namespace", owner.namespace).param("owner", owner.id).update();
        db.sql("SELECT used FROM scheduler.quota WHERE namespace = :namespace AND owner = :owner FOR UPDATE")
                .param("namespace", owner.namespace)
                .param("owner", owner.id)
                .query(Long.class)
                .single();
        db.sql("""
                        WITH freed AS (
                          DELETE FROM scheduler.quota_freed WHERE namespace = :namespace AND owner = :owner
                        ), open AS (
                          SELECT task_id, version FROM scheduler.execution
                           WHERE namespace = :namespace AND id = task_id
                          UNION ALL
                          SELECT task_id, version FROM scheduler.schedule WHERE namespace = :namespace
                        )
                        UPDATE scheduler.quota
                           SET used = (SELECT count(*) FROM open o
                                         JOIN scheduler.task t
                                           ON t.namespace = :namespace AND t.id = o.task_id AND t.version = o.version
                                        WHERE t.owner = :owner)
                         WHERE namespace = :namespace AND owner = :owner
                        """).param("namespace", owner.namespace).param("owner", owner.id).update();
    }

    /// Whose tasks are counted: a user is counted in each namespace by itself.
    record Owner(int namespace, UUID id) {
        /// In which everybody locks.
        static final Comparator<Owner> ORDER =
                Comparator.comparingInt(Owner::namespace).thenComparing(Owner::id);
    }

    /// @param granted room taken
    /// @param used    of the limit, the room taken included
    record Grant(int granted, long used) {}
}
