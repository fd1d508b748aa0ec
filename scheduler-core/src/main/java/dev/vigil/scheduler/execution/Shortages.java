package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.Link.Lack;
import dev.vigil.scheduler.execution.TaskFacts.WorkerNeed;
import dev.vigil.scheduler.task.Columns;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;

/// For what a core finds no worker, and what of that it has published. Only what lasts is published, and only when it
/// changes, so a busy core writes nothing here and neither does an idle one.
///
/// For use by many threads at once.
final class Shortages {
    /// A shortage that ends sooner is nobody's question.
    private static final Duration LASTING = Duration.ofSeconds(1);

    /// One that was not seen again for so long is over: nothing waits for it any more.
    private static final Duration FORGOTTEN = Duration.ofSeconds(5);

    private final Map<WorkerNeed, Lacking> lacking = new HashMap<>();
    private final Map<WorkerNeed, Lack> published = new HashMap<>();

    private record Lacking(Lack lack, Instant since, Instant seen) {}

    /// No worker was found.
    synchronized void missed(WorkerNeed wanted, Lack lack, Instant now) {
        WorkerNeed need = whoever(wanted);
        Lacking before = lacking.get(need);
        lacking.put(need, new Lacking(lack, before == null || before.lack != lack ? now : before.since, now));
    }

    /// A worker was found.
    synchronized void met(WorkerNeed need) {
        lacking.remove(whoever(need));
    }

    private static WorkerNeed whoever(WorkerNeed need) {
        return need.limited() == null ? need : new WorkerNeed(need.namespace(), need.handler(), null);
    }

    /// Publishes what changed.
    synchronized void publish(JdbcClient db, UUID incarnation, Instant now) {
        lacking.values().removeIf(one -> one.seen.plus(FORGOTTEN).isBefore(now));
        var gone = new ArrayList<WorkerNeed>();
        published.keySet().stream().filter(need -> !lacking.containsKey(need)).forEach(gone::add);
        var fresh = new ArrayList<Fresh>();
        lacking.forEach((need, one) -> {
            if (one.lack != published.get(need) && !one.since.plus(LASTING).isAfter(now)) {
                fresh.add(new Fresh(need, one));
            }
        });
        if (!gone.isEmpty()) {
            remove(db, incarnation, gone);
            gone.forEach(published::remove);
        }
        if (!fresh.isEmpty()) {
            store(db, incarnation, fresh);
            fresh.forEach(one -> published.put(one.need, one.lacking.lack));
        }
    }

    private static void remove(JdbcClient db, UUID incarnation, List<WorkerNeed> needs) {
        db.sql("""
                        DELETE FROM scheduler.shortage h
                         USING unnest(:namespaces::int[], :handlers::text[]) AS v(namespace, handler)
                         WHERE h.incarnation = :incarnation AND h.namespace = v.namespace AND h.handler = v.handler
                        """)
                .param("incarnation", incarnation)
                .params(columns(needs).arrays())
                .update();
    }

    private record Fresh(WorkerNeed need, Lacking lacking) {}

    private static void store(JdbcClient db, UUID incarnation, List<Fresh> fresh) {
        db.sql("""
                        INSERT INTO scheduler.shortage (incarnation, namespace, handler, kind, since)
                        SELECT c.incarnation, v.namespace, v.handler, v.kind, v.since
                          FROM unnest(:namespaces::int[], :handlers::text[], :kinds::smallint[], :sinces::timestamptz[])
                               AS v(namespace, handler, kind, since)
                          JOIN scheduler.core c ON c.incarnation = :incarnation
                            ON CONFLICT (incarnation, namespace, handler)
                            DO UPDATE SET kind = excluded.kind, since = excluded.since
                        """)
                .param("incarnation", incarnation)
                .params(columns(fresh.stream().map(Fresh::need).toList()).arrays())
                .params(new Columns<>(fresh)
                        .add("kinds", new Integer[0], one -> one.lacking.lack.code())
                        .add("sinces", new Instant[0], one -> one.lacking.since)
                        .arrays())
                .update();
    }

    private static Columns<WorkerNeed> columns(List<WorkerNeed> needs) {
        return new Columns<>(needs)
                .add("namespaces", new Integer[0], WorkerNeed::namespace)
                .add("handlers", new String[0], WorkerNeed::handler);
    }
}
