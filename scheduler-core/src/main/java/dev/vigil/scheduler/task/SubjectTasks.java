package dev.vigil.scheduler.task;

import dev.vigil.scheduler.task.Commands.Kind;
import java.util.List;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The tasks of one person: those that name him as their subject, or that he owns.
public final class SubjectTasks {
    /// Most tasks of one [#unerased].
    public static final int BATCH_MAX = 100;

    private static final UUID NOBODY = new UUID(0, 0);
    private static final String BY_SUBJECT = "t.namespace = :namespace AND t.subject_index = :subject";
    // Costs a look at every task of the namespace: for the few requests that are about a user.
    private static final String BY_SUBJECT_OR_OWNER =
            "t.namespace = :namespace AND (t.subject_index = :subject OR t.owner = :owner)";

    private final JdbcClient db;

    /// Tasks of this database.
    public SubjectTasks(JdbcClient db) {
        this.db = db;
    }

    /// Whose tasks.
    ///
    /// @param namespace    number of the namespace
    /// @param subjectIndex his blind index there
    /// @param owner        his id if he is a user; the nil UUID for nobody's
    public record Person(int namespace, byte[] subjectIndex, UUID owner) {}

    /// A page of his tasks, as they have been promised, oldest first.
    ///
    /// @param after the last id of the page before; the nil UUID for the first page
    public List<TaskView> list(Person person, UUID after, int limit) {
        return db.sql((TaskQuery.SELECT + "AND t.id > :after AND %s ORDER BY t.id LIMIT :limit")
                        .formatted(person.owner().equals(NOBODY) ? BY_SUBJECT : BY_SUBJECT_OR_OWNER))
                .params(TaskQuery.CODES)
                .param("namespace", person.namespace())
                .param("subject", person.subjectIndex())
                .param("owner", person.owner())
                .param("after", after)
                .param("limit", limit)
                .query(TaskRow::view)
                .list();
    }

    /// Tasks of his that are stored and whose erasure nobody has asked for yet; deleted ones whose owner has
    /// yet to remove them included.
    public List<TaskRef> unerased(Person person) {
        return db.sql("""
                        SELECT DISTINCT t.namespace, t.id FROM scheduler.task t
                         WHERE %s
                           AND NOT EXISTS (SELECT FROM scheduler.inbox i
                                            WHERE i.ref = t.id AND i.change_seq IS NOT NULL AND i.kind = :erase)
                         LIMIT :limit
                        """.formatted(person.owner().equals(NOBODY) ? BY_SUBJECT : BY_SUBJECT_OR_OWNER))
                .param("namespace", person.namespace())
                .param("subject", person.subjectIndex())
                .param("owner", person.owner())
                .param("erase", Kind.ERASE.code())
                .param("limit", BATCH_MAX)
                .query((row, index) -> new TaskRef(row.getInt("namespace"), row.getObject("id", UUID.class)))
                .list();
    }

    /// Whether a task is one of his.
    public boolean has(Person person, UUID task) {
        return db.sql("""
                        SELECT EXISTS (SELECT FROM scheduler.task t
                                        WHERE t.id = :task AND t.namespace = :namespace
                                          AND (t.subject_index = :subject OR t.owner = :owner))
                        """)
                .param("task", task)
                .param("namespace", person.namespace())
                .param("subject", person.subjectIndex())
                .param("owner", person.owner())
                .query(Boolean.class)
                .single();
    }

    /// How many of his tasks are still stored, whatever has been asked.
    public long stored(Person person) {
        return db.sql("""
                        SELECT count(DISTINCT t.id) FROM scheduler.task t
                         WHERE %s
                        """.formatted(person.owner().equals(NOBODY) ? BY_SUBJECT : BY_SUBJECT_OR_OWNER))
                .param("namespace", person.namespace())
                .param("subject", person.subjectIndex())
                .param("owner", person.owner())
                .query(Long.class)
                .single();
    }

    /// How many executions of a task there are, ended ones included.
    public long executions(TaskRef task) {
        return db.sql("""
                        SELECT count(*)
                          FROM (SELECT h.id FROM scheduler.history h
                                 WHERE h.task_id = :task AND h.namespace = :namespace
                                UNION
                                SELECT e.id
                                  FROM scheduler.shard s
                                  LEFT JOIN scheduler.schedule c ON c.shard = s.id AND c.task_id = :task
                                  JOIN scheduler.execution e ON e.shard = s.id
                                       AND (e.id = :task OR e.id = ANY (c.open))
                                 WHERE e.task_id = :task) AS known
                        """)
                .param("task", task.id())
                .param("namespace", task.namespace())
                .query(Long.class)
                .single();
    }
}
