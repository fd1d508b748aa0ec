package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.postgres.Role;
import dev.vigil.scheduler.TestDatabase;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;

/// What the planner makes of the hot table when vacuum has found it empty, as it does in a quiet night.
class PlansTest {
    private static final TestDatabase DATABASE = new TestDatabase();

    @Test
    void where_nothing_was_left_rows_are_still_found_by_their_key_and_lanes_read_in_order() throws SQLException {
        DATABASE.superuser().sql("""
                        INSERT INTO scheduler.execution (shard, namespace, id, task_id, due_at, scheduled_for, version, lane)
                        SELECT i % 16, 1, gen_random_uuid(), gen_random_uuid(), now(), now(), 1, 17
                          FROM generate_series(1, 20000) i
                        """).update();
        DATABASE.superuser().sql("DELETE FROM scheduler.execution").update();
        DATABASE.superuser()
                .sql("VACUUM (ANALYZE, TRUNCATE OFF) scheduler.execution")
                .update();

        try (Connection core = DATABASE.source(Role.CORE).getConnection();
                Statement sql = core.createStatement()) {
            // As a core's connections have it.
            sql.execute("SET enable_seqscan = off");
            sql.execute("SET enable_bitmapscan = off");
            assertThat(plan(
                            sql,
                            "SELECT ctid FROM scheduler.execution WHERE shard = 3 AND id = '01980000-0000-7000-8000-000000000001'"
                                    + " AND fence_min <= 5"))
                    .contains("execution_pkey")
                    .doesNotContain("execution_due");
            assertThat(plan(
                            sql,
                            "SELECT * FROM scheduler.execution WHERE shard = 3 AND lane = 17 AND due_at <= now()"
                                    + " ORDER BY due_at, id LIMIT 1000"))
                    .contains("execution_due")
                    .doesNotContain("Sort");
        }
    }

    private static String plan(Statement sql, String query) throws SQLException {
        var plan = new StringBuilder();
        try (ResultSet rows = sql.executeQuery("EXPLAIN " + query)) {
            while (rows.next()) {
                plan.append(rows.getString(1)).append('\n');
            }
        }
        return plan.toString();
    }
}
