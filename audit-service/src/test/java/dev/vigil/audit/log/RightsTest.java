package dev.vigil.audit.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vigil.postgres.Role;
import java.sql.SQLException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;

/// What each role may not do to the log, tried with one that has entries.
class RightsTest {
    private static final Ledger LEDGER = Ledger.fresh();

    @BeforeAll
    static void fill() throws SQLException {
        LEDGER.emit("scheduler", 3);
        LEDGER.as(Role.API)
                .sql("INSERT INTO scheduler.outbox (n, events) VALUES (1, 'x')")
                .update();
        LEDGER.writer().step();
        // As the version before the packed directory does.
        LEDGER.as(Role.AUDIT).sql("""
                        INSERT INTO audit.event (seq, id, at, event_type, action, result)
                        VALUES (0, gen_random_uuid(), now(), 'api_call', 'x', 'success')
                        """).update();
        LEDGER.as(Role.OWNER)
                .sql("CREATE TABLE scheduler.task (id int); CREATE SCHEMA vault; CREATE TABLE vault.data_key (id int)")
                .update();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "UPDATE audit.entry_part SET entries = ''",
                "UPDATE audit.hash_part SET hashes = ''",
                "UPDATE audit.checkpoint SET note = ''",
                "UPDATE audit.progress SET id = 0",
                "UPDATE audit.event SET action = 'x'",
                "UPDATE audit.mention SET places = ''",
                "UPDATE audit.event_ids SET seqs = ids::text[]::bigint[]",
                "UPDATE audit.unreadable SET why = 'x'",
                "UPDATE audit.outbox SET events = ''",
                "UPDATE scheduler.outbox SET events = ''",
                "DELETE FROM audit.entry_part",
                "DELETE FROM audit.hash_part",
                "DELETE FROM audit.checkpoint",
                "DELETE FROM audit.progress",
                "DELETE FROM audit.event",
                "DELETE FROM audit.mention",
                "DELETE FROM audit.event_ids",
                "DELETE FROM audit.unreadable",
                "DELETE FROM audit.outbox",
                "DELETE FROM scheduler.outbox",
                "TRUNCATE audit.entry_part",
                "TRUNCATE audit.event",
                "ALTER TABLE audit.event DISABLE TRIGGER append_only",
                "DROP TABLE audit.event",
                "CREATE TABLE audit.own (id int)",
                "CREATE TABLE public.own (id int)",
                "INSERT INTO scheduler.outbox (n, events) VALUES (1, '')",
                "SELECT * FROM scheduler.task",
                "SELECT * FROM vault.data_key",
                "SELECT * FROM audit.flyway_schema_history",
                "SET session_replication_role = replica"
            })
    void the_audit_role_is_refused_what_is_not_appending(String statement) {
        JdbcClient db = LEDGER.as(Role.AUDIT);

        assertThatThrownBy(() -> run(db, statement))
                .isInstanceOf(DataAccessException.class)
                .rootCause()
                .hasMessageMatching("(?s)ERROR: (permission denied|must be owner) .*");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "entry_part",
                "hash_part",
                "checkpoint",
                "progress",
                "event",
                "mention",
                "event_ids",
                "unreadable"
            })
    void the_owner_and_a_superuser_as_replica_are_stopped_by_the_triggers(String table) {
        long rows = count(table);
        assertThat(rows).isPositive();
        String column = firstColumn(table);

        for (String change : new String[] {
            "UPDATE audit.%s SET %s = %s".formatted(table, column, column),
            "DELETE FROM audit." + table,
            "DELETE FROM audit." + table + " WHERE false",
            "TRUNCATE audit." + table
        }) {
            assertThatThrownBy(() -> run(LEDGER.as(Role.OWNER), change))
                    .rootCause()
                    .hasMessageContaining("the audit log only grows");
            assertThatThrownBy(() -> run(LEDGER.asSuperuser(), "SET session_replication_role = replica; " + change))
                    .rootCause()
                    .hasMessageContaining("the audit log only grows");
        }
        assertThat(count(table)).isEqualTo(rows);
    }

    @ParameterizedTest
    @ValueSource(strings = {"API", "CORE", "GDPR"})
    void other_services_see_nothing_of_the_log(Role role) {
        assertThatThrownBy(() -> run(LEDGER.as(role), "SELECT * FROM audit.event"))
                .rootCause()
                .hasMessageContaining("permission denied");
        assertThatThrownBy(() -> run(LEDGER.as(role), "INSERT INTO audit.outbox (n, events) VALUES (1, '')"))
                .rootCause()
                .hasMessageContaining("permission denied");
        assertThatThrownBy(() -> run(LEDGER.as(role), "SELECT audit.prune_outbox('1')"))
                .rootCause()
                .hasMessageContaining("permission denied");
    }

    @Test
    void the_audit_role_appends_and_reads() {
        JdbcClient db = LEDGER.as(Role.AUDIT);

        assertThat(db.sql("INSERT INTO audit.outbox (n, events) VALUES (1, '\\x00000000')")
                        .update())
                .isEqualTo(1);
        assertThat(db.sql("SELECT count(*) FROM scheduler.outbox")
                        .query(Long.class)
                        .single())
                .isPositive();
    }

    private static void run(JdbcClient db, String statement) {
        if (statement.startsWith("SELECT")) {
            db.sql(statement).query().listOfRows();
        } else {
            db.sql(statement).update();
        }
    }

    private static long count(String table) {
        return LEDGER.asSuperuser()
                .sql("SELECT count(*) FROM audit." + table)
                .query(Long.class)
                .single();
    }

    private static String firstColumn(String table) {
        return LEDGER.asSuperuser()
                .sql("""
                        SELECT attname
                          FROM pg_attribute
                         WHERE attrelid = CAST(:table AS regclass) AND attnum = 1
                        """)
                .param("table", "audit." + table)
                .query(String.class)
                .single();
    }
}
