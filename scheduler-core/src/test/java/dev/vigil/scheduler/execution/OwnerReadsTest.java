package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.Role;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.NewTask;
import dev.vigil.scheduler.task.Schedule;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

/// What an owner asks at a takeover costs as much as what it gets, however full the tables are.
class OwnerReadsTest {
    private static final int LATER = 2_000;
    private static final List<Integer> SHARDS = IntStream.range(0, 16).boxed().toList();

    private static EngineFixture engine;
    private static NewTask due;

    @BeforeAll
    static void one_task_is_due_among_many_that_are_not() {
        engine = new EngineFixture();
        due = Drafts.task(Drafts.now());
        Instant tomorrow = Instant.now().plusSeconds(86_400);
        assertThat(engine.tasks()
                        .createAll(Stream.concat(
                                        Stream.of(due),
                                        IntStream.range(0, LATER)
                                                .mapToObj(i -> Drafts.task(new Schedule.OneTime(tomorrow))))
                                .toList()))
                .hasSize(LATER + 1);
    }

    @AfterAll
    static void end() {
        engine.close();
    }

    @Test
    void identifiers_have_one_order_here_and_in_the_database() {
        List<UUID> ids =
                IntStream.range(0, 200).mapToObj(i -> UUID.randomUUID()).toList();

        assertThat(engine.database
                        .superuser()
                        .sql("SELECT id FROM unnest(:ids::uuid[]) AS x(id) ORDER BY id")
                        .param("ids", ids.toArray(UUID[]::new))
                        .query(UUID.class)
                        .list())
                .containsExactlyElementsOf(ids.stream().sorted(Due::compareIds).toList());
    }

    @Test
    void adoption_looks_up_what_the_recovery_log_names_and_nothing_else() throws SQLException {
        engine.database.superuser().sql("""
                        INSERT INTO scheduler.dispatch (shard, epoch, n, low, worker, boot, executions, attempts)
                        SELECT shard, 1, 1, 1, uuidv7(), uuidv7(), ARRAY[id], ARRAY[1]
                          FROM scheduler.execution WHERE id = :id
                        """).param("id", due.id()).update();
        try (var connection = new Session()) {
            long before = connection.read("execution");

            assertThat(OwnerReads.open(connection.db, SHARDS))
                    .singleElement()
                    .satisfies(open -> assertThat(open.due().id()).isEqualTo(due.id()));

            assertThat(connection.read("execution") - before).isLessThan(20);
        }
    }

    @Test
    void what_was_created_while_a_transaction_is_held_open_is_told_once_and_what_it_creates_when_it_ends()
            throws SQLException {
        JdbcClient db = JdbcClient.create(engine.database.source(Role.CORE));
        try (Connection held = engine.database.database().as(Role.API).connect();
                Statement statement = held.createStatement()) {
            held.setAutoCommit(false);
            statement.execute("INSERT INTO scheduler.inbox (shard, kind, lanes, due) VALUES (3, 1, 1, now())");
            Snapshot first = OwnerReads.snapshot(db);
            long early = tellCreated();
            Snapshot second = OwnerReads.snapshot(db);

            assertThat(news(db, first)).containsExactly(early);
            assertThat(news(db, second)).isEmpty();
            long late = tellCreated();
            assertThat(news(db, second)).containsExactly(late);
            Snapshot third = OwnerReads.snapshot(db);
            held.commit();

            assertThat(news(db, third)).hasSize(1).doesNotContain(early, late);
            assertThat(news(db, OwnerReads.snapshot(db))).isEmpty();
        }
    }

    private static long tellCreated() {
        return engine.database
                .superuser()
                .sql("INSERT INTO scheduler.inbox (shard, kind, lanes, due) VALUES (3, 1, 1, now()) RETURNING seq")
                .query(Long.class)
                .single();
    }

    private static List<Long> news(JdbcClient db, Snapshot since) {
        return OwnerReads.news(db, List.of(new OwnerReads.NewsFrom(3, since))).stream()
                .map(OwnerReads.InboxRow::seq)
                .toList();
    }

    /// A core's connection, in one transaction, whose counters are looked at before it ends.
    private static final class Session implements AutoCloseable {
        final JdbcClient db;
        private final SingleConnectionDataSource source;

        Session() throws SQLException {
            Credentials core = engine.database.database().as(Role.CORE);
            source = new SingleConnectionDataSource(core.url(), core.username(), core.password(), true);
            source.setAutoCommit(false);
            db = JdbcClient.create(source);
        }

        /// Rows read of a table and its partitions, by scan or by index.
        long read(String table) {
            return db.sql("""
                            SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)
                              FROM pg_stat_xact_user_tables WHERE schemaname = 'scheduler' AND relname ~ :pattern
                            """)
                    .param("pattern", "^" + table + "(_\\d+|_default)?$")
                    .query(Long.class)
                    .single();
        }

        @Override
        public void close() {
            source.destroy();
        }
    }
}
