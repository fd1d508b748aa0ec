package dev.vigil.api.vault;

import dev.vigil.api.vault.TombstoneFile.Tombstone;
import dev.vigil.scheduler.task.SubjectTasks.Person;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The table `vault.erasure`: the tombstone of each person and namespace that a request is about.
final class Erasures {
    private final JdbcClient db;

    Erasures(JdbcClient db) {
        this.db = db;
    }

    /// What has been erased behind a tombstone.
    record Erased(Person person, int tasks, int executions) {}

    /// Sets the tombstone of a person: from now on nothing is sealed for him.
    void begin(Tombstone tombstone) {
        db.sql("""
                        INSERT INTO vault.erasure (namespace, subject_index, request, owner)
                        VALUES (:namespace, :subject, :request, :owner)
                        ON CONFLICT DO NOTHING
                        """)
                .param("namespace", tombstone.person().namespace())
                .param("subject", tombstone.person().subjectIndex())
                .param("request", tombstone.request())
                .param("owner", tombstone.person().owner())
                .update();
    }

    /// The same for an erasure that this database has forgotten.
    ///
    /// @return false when it is there, as begun anew
    boolean beginAgain(Tombstone tombstone) {
        return db.sql("""
                        INSERT INTO vault.erasure (namespace, subject_index, request, owner, replayed_at)
                        VALUES (:namespace, :subject, :request, :owner, clock_timestamp())
                        ON CONFLICT DO NOTHING
                        """)
                        .param("namespace", tombstone.person().namespace())
                        .param("subject", tombstone.person().subjectIndex())
                        .param("request", tombstone.request())
                        .param("owner", tombstone.person().owner())
                        .update()
                == 1;
    }

    /// Whether this database knows of an erasure: it has its row, and not one that is being done again.
    boolean knows(Tombstone tombstone) {
        return db.sql("""
                        SELECT EXISTS (SELECT FROM vault.erasure
                                        WHERE namespace = :namespace AND subject_index = :subject AND request = :request
                                          AND (replayed_at IS NULL OR ended_at IS NOT NULL))
                        """)
                .param("namespace", tombstone.person().namespace())
                .param("subject", tombstone.person().subjectIndex())
                .param("request", tombstone.request())
                .query(Boolean.class)
                .single();
    }

    /// Tombstones set since then, oldest first.
    List<Tombstone> since(Instant began) {
        return db.sql("""
                        SELECT request, namespace, subject_index, owner
                          FROM vault.erasure
                         WHERE began_at > :since
                         ORDER BY began_at
                        """)
                .param("since", began.atOffset(ZoneOffset.UTC))
                .query((row, _) -> new Tombstone(row.getObject("request", UUID.class), person(row)))
                .list();
    }

    /// What a request has erased, by namespace.
    List<Erased> of(UUID request) {
        return db.sql("""
                        SELECT namespace, subject_index, owner, tasks, executions
                          FROM vault.erasure
                         WHERE request = :request
                         ORDER BY namespace
                        """)
                .param("request", request)
                .query((row, _) -> new Erased(person(row), row.getInt("tasks"), row.getInt("executions")))
                .list();
    }

    /// Counts tasks that were told to go, and the executions that lose what tells of the person.
    void count(Tombstone tombstone, int tasks, long executions) {
        db.sql("""
                        UPDATE vault.erasure
                           SET tasks = tasks + :tasks, executions = executions + :executions
                         WHERE request = :request AND namespace = :namespace AND subject_index = :subject
                        """)
                .param("tasks", tasks)
                .param("executions", executions)
                .param("request", tombstone.request())
                .param("namespace", tombstone.person().namespace())
                .param("subject", tombstone.person().subjectIndex())
                .update();
    }

    /// Ends an erasure: the subject may come back as somebody new.
    void end(UUID request) {
        db.sql("""
                        UPDATE vault.erasure
                           SET ended_at = clock_timestamp()
                         WHERE request = :request AND ended_at IS NULL
                        """).param("request", request).update();
    }

    private static Person person(ResultSet row) throws SQLException {
        return new Person(row.getInt("namespace"), row.getBytes("subject_index"), row.getObject("owner", UUID.class));
    }
}
