package dev.vigil.audit.log;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.SqlArrayValue;

/// Writes the table `audit.event`: where in the log an event is found.
final class Directory {
    private final JdbcClient db;

    Directory(JdbcClient db) {
        this.db = db;
    }

    /// Which of these events the log already has.
    Set<UUID> known(List<Leaf> leaves) {
        return new HashSet<>(db.sql("SELECT id FROM audit.event WHERE id = ANY (:ids)")
                .param("ids", column(leaves, "uuid", EventKeys::id))
                .query(UUID.class)
                .list());
    }

    /// Lists events; the first has that index in the log.
    void append(long first, List<Leaf> leaves) {
        db.sql("""
                        INSERT INTO audit.event (seq, id, at, event_type, action, result,
                                                 user_id, task_id, execution_id, worker_id, subject)
                        SELECT seq, id, CAST(at AS timestamptz), event_type, action, result,
                               user_id, task_id, execution_id, worker_id, subject
                          FROM unnest(:seqs, :ids, :ats, :types, :actions, :results,
                                      :users, :tasks, :executions, :workers, :subjects)
                               AS event (seq, id, at, event_type, action, result,
                                         user_id, task_id, execution_id, worker_id, subject)
                        """)
                .param(
                        "seqs",
                        new SqlArrayValue(
                                "bigint",
                                LongStream.range(first, first + leaves.size())
                                        .boxed()
                                        .toArray()))
                .param("ids", column(leaves, "uuid", EventKeys::id))
                .param("ats", column(leaves, "text", keys -> keys.at().toString()))
                .param("types", column(leaves, "text", EventKeys::eventType))
                .param("actions", column(leaves, "text", EventKeys::action))
                .param("results", column(leaves, "text", EventKeys::result))
                .param("users", column(leaves, "uuid", keys -> keys.about().user()))
                .param("tasks", column(leaves, "uuid", keys -> keys.about().task()))
                .param("executions", column(leaves, "uuid", keys -> keys.about().execution()))
                .param("workers", column(leaves, "uuid", keys -> keys.about().worker()))
                .param("subjects", column(leaves, "text", keys -> keys.about().subject()))
                .update();
    }

    private static SqlArrayValue column(List<Leaf> leaves, String type, Function<EventKeys, @Nullable Object> value) {
        var values = new @Nullable Object[leaves.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = value.apply(leaves.get(i).keys());
        }
        return new SqlArrayValue(type, values);
    }
}
