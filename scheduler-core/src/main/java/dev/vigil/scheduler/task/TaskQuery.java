package dev.vigil.scheduler.task;

import dev.vigil.scheduler.task.Commands.Kind;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The query that reads tasks as they have been promised: commands that the owner has yet to carry out count.
final class TaskQuery {
    static final Map<String, Integer> CODES = Map.of(
            "pause", Kind.PAUSE.code(),
            "resume", Kind.RESUME.code(),
            "delete", Kind.DELETE.code(),
            "patch", Kind.PATCH.code(),
            "erase", Kind.ERASE.code());

    /// State and next fire follow from what is there: an open execution or a schedule, its lane, a pending
    /// command.
    static final String SELECT = """
            SELECT * FROM (
              SELECT t.*, coalesce(n.due, e.due_at, c.next_at) AS next_at,
                     CASE WHEN e.id IS NULL AND c.task_id IS NULL THEN 'FINISHED'
                          WHEN coalesce(p.kind = :pause, e.lane BETWEEN -100 AND -1, c.paused) THEN 'PAUSED'
                          ELSE 'SCHEDULED' END AS state
                FROM scheduler.task t
                LEFT JOIN scheduler.execution e ON t.kind = 1 AND e.shard = t.shard AND e.id = t.id
                LEFT JOIN scheduler.schedule c ON t.kind <> 1 AND c.shard = t.shard AND c.task_id = t.id
                LEFT JOIN LATERAL (SELECT i.kind FROM scheduler.inbox i
                                    WHERE i.ref = t.id AND i.change_seq IS NOT NULL AND i.kind IN (:pause, :resume)
                                    ORDER BY i.change_seq DESC LIMIT 1) p ON true
                LEFT JOIN LATERAL (SELECT i.due FROM scheduler.inbox i
                                    WHERE i.ref = t.id AND i.change_seq IS NOT NULL AND i.kind = :patch
                                      AND i.due IS NOT NULL
                                    ORDER BY i.change_seq DESC LIMIT 1) n ON true
               WHERE NOT EXISTS (SELECT FROM scheduler.inbox i
                                  WHERE i.ref = t.id AND i.change_seq IS NOT NULL AND i.kind IN (:delete, :erase))
                 AND NOT EXISTS (SELECT FROM scheduler.task n
                                  WHERE n.namespace = t.namespace AND n.id = t.id AND n.version > t.version)
            ) t WHERE true
            """;

    private static final String FILTER = """
               AND (:namespace::int IS NULL OR t.namespace = :namespace)
               AND (:owner::uuid IS NULL OR t.owner = :owner)
               AND (:state::text IS NULL OR t.state = :state)
               AND (:kind::smallint IS NULL OR t.kind = :kind)
               AND (:handler::text IS NULL OR t.handler = :handler)
               AND (:priority::smallint IS NULL OR t.priority = :priority)
               AND (:name::text IS NULL OR t.name = :name)
               AND (:labels::jsonb IS NULL OR t.labels @> :labels::jsonb)
            """;

    private TaskQuery() {}

    static String list(boolean ascending) {
        return SELECT + FILTER + (ascending ? """
                         AND (:after::uuid IS NULL OR t.id > :after) ORDER BY t.id LIMIT :limit
                        """ : """
                         AND (:after::uuid IS NULL OR t.id < :after) ORDER BY t.id DESC LIMIT :limit
                        """);
    }

    static Map<String, @Nullable Object> parameters(TaskFilter filter, Page page) {
        var parameters = new HashMap<String, @Nullable Object>();
        parameters.put("namespace", filter.namespace());
        parameters.put("owner", filter.owner());
        parameters.put("state", filter.state() == null ? null : filter.state().name());
        parameters.put("kind", filter.type() == null ? null : TaskRow.kind(filter.type()));
        parameters.put("handler", filter.handler());
        parameters.put(
                "priority", filter.priority() == null ? null : filter.priority().code());
        parameters.put("name", filter.name());
        parameters.put("labels", filter.labels().isEmpty() ? null : TaskRow.json(filter.labels()));
        parameters.put("after", page.after());
        parameters.put("limit", page.limit());
        return parameters;
    }
}
