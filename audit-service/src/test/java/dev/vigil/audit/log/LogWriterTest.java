package dev.vigil.audit.log;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vigil.audit.log.LogWriter.Gathered;
import dev.vigil.audit.log.LogWriter.Step;
import dev.vigil.postgres.Role;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.tree.Checkpoint;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.DuplicateKeyException;

class LogWriterTest {
    private final Ledger ledger = Ledger.fresh();

    @Test
    void an_empty_log_has_a_signed_checkpoint_of_size_0() throws SQLException {
        Step step = ledger.writer().step();

        assertThat(step).isEqualTo(new Step(0, 0));
        assertThat(LogReading.checkedEntries(ledger)).isEmpty();
    }

    @Test
    void events_stand_in_the_log_once_and_in_the_order_of_their_commits() throws SQLException {
        LogWriter writer = ledger.writer();
        var expected = new ArrayList<AuditEvent>();
        for (int i = 0; i < 40; i++) {
            expected.addAll(ledger.emit(i % 3 == 0 ? "access" : "scheduler", 1 + 7 * i % 30));
            if (i % 5 == 4) {
                writer.step();
            }
        }

        assertThat(writer.step()).isEqualTo(new Step(0, 0));
        assertThat(LogReading.checkedEntries(ledger)).isEqualTo(texts(expected));
    }

    @Test
    void what_is_gathered_look_by_look_stands_in_the_log_with_the_next_step_only_and_in_the_order_of_commits()
            throws SQLException {
        LogWriter writer = ledger.writer();
        List<AuditEvent> first = ledger.emit("scheduler", 3);
        assertThat(writer.gather()).isEqualTo(new Gathered(1, true, false));
        List<AuditEvent> second = ledger.emit("access", 2);
        assertThat(writer.gather()).isEqualTo(new Gathered(2, true, false));
        assertThat(writer.gather()).isEqualTo(new Gathered(2, false, false));
        writer.prune();
        assertThat(LogReading.checkedEntries(ledger)).isEmpty();
        List<AuditEvent> third = ledger.emit("scheduler", 1);

        assertThat(writer.step()).isEqualTo(new Step(3, 6));

        assertThat(LogReading.checkedEntries(ledger)).isEqualTo(texts(both(both(first, second), third)));
        assertThat(writer.gather()).isEqualTo(new Gathered(0, false, false));
    }

    @Test
    void what_another_writer_has_appended_meanwhile_is_not_appended_again() throws SQLException {
        LogWriter one = ledger.writer();
        LogWriter two = ledger.writer();
        one.step();
        List<AuditEvent> events = ledger.emit("scheduler", 3);
        one.gather();
        assertThat(two.step()).isEqualTo(new Step(1, 3));

        assertThat(one.step()).isEqualTo(new Step(1, 0));

        assertThat(one.gather()).isEqualTo(new Gathered(0, false, false));
        assertThat(LogReading.checkedEntries(ledger)).isEqualTo(texts(events));
    }

    @Test
    void a_thousand_rows_fill_a_checkpoint() throws SQLException {
        LogWriter writer = ledger.writer();
        var expected = new ArrayList<AuditEvent>();
        try (Connection connection = ledger.connections(Role.API).getConnection()) {
            connection.setAutoCommit(false);
            for (int i = 0; i <= Outboxes.ROWS_MAX; i++) {
                List<AuditEvent> events = Ledger.events(1);
                Ledger.insert(connection, "scheduler", events);
                expected.addAll(events);
            }
            connection.commit();
        }

        assertThat(writer.gather()).isEqualTo(new Gathered(Outboxes.ROWS_MAX, true, true));
        assertThat(writer.step()).isEqualTo(new Step(Outboxes.ROWS_MAX, Outboxes.ROWS_MAX));
        assertThat(writer.gather()).isEqualTo(new Gathered(1, true, false));
        writer.step();
        assertThat(LogReading.checkedEntries(ledger)).isEqualTo(texts(expected));
    }

    @Test
    void a_transaction_that_commits_late_is_waited_for_and_not_lost() throws SQLException {
        LogWriter writer = ledger.writer();
        List<AuditEvent> early = Ledger.events(2);
        try (Connection open = ledger.emitUncommitted("scheduler", early)) {
            List<AuditEvent> late = ledger.emit("access", 3);

            // The row of the younger transaction is visible, but an older one may still bring rows before it.
            assertThat(writer.step()).isEqualTo(new Step(0, 0));

            open.commit();
            assertThat(writer.step()).isEqualTo(new Step(2, 5));
            assertThat(LogReading.checkedEntries(ledger)).isEqualTo(texts(both(early, late)));
        }
    }

    @Test
    void a_transaction_that_is_rolled_back_leaves_no_event_and_no_gap() throws SQLException {
        LogWriter writer = ledger.writer();
        try (Connection open = ledger.emitUncommitted("scheduler", Ledger.events(2))) {
            List<AuditEvent> late = ledger.emit("scheduler", 3);
            open.rollback();

            assertThat(writer.step()).isEqualTo(new Step(1, 3));
            assertThat(LogReading.checkedEntries(ledger)).isEqualTo(texts(late));
        }
    }

    @Test
    void an_event_that_comes_twice_stands_in_the_log_once() throws SQLException {
        LogWriter writer = ledger.writer();
        List<AuditEvent> events = Ledger.events(3);
        for (int i = 0; i < 2; i++) {
            try (Connection connection = ledger.emitUncommitted("scheduler", events)) {
                connection.commit();
            }
            try (Connection connection = ledger.emitUncommitted("access", events)) {
                connection.commit();
            }
            writer.step();
        }

        assertThat(LogReading.checkedEntries(ledger)).isEqualTo(texts(events));
    }

    @Test
    void of_two_writers_that_go_on_from_the_same_checkpoint_one_fails_and_then_follows() throws SQLException {
        LogWriter one = ledger.writer();
        LogWriter two = ledger.writer();
        one.step();
        two.step();
        List<AuditEvent> first = ledger.emit("scheduler", 300);
        assertThat(one.step()).isEqualTo(new Step(1, 300));
        List<AuditEvent> second = ledger.emit("scheduler", 2);

        assertThatThrownBy(two::step).isInstanceOf(DuplicateKeyException.class);

        assertThat(two.step()).isEqualTo(new Step(1, 2));
        List<AuditEvent> third = ledger.emit("scheduler", 1);
        assertThatThrownBy(one::step).isInstanceOf(DuplicateKeyException.class);
        assertThat(one.step()).isEqualTo(new Step(1, 1));
        assertThat(LogReading.checkedEntries(ledger)).isEqualTo(texts(both(both(first, second), third)));
    }

    @Test
    void two_writers_that_race_all_the_time_make_one_log() throws Exception {
        var expected = new ArrayList<AuditEvent>();
        var ended = new AtomicBoolean();
        try (var threads = Executors.newFixedThreadPool(2)) {
            List<Future<Integer>> writers = new ArrayList<>();
            for (LogWriter writer : List.of(ledger.writer(), ledger.writer())) {
                writers.add(threads.submit(() -> outrun(writer, ended)));
            }
            try (Connection connection = ledger.connections(Role.API).getConnection()) {
                for (int i = 0; i < 300; i++) {
                    List<AuditEvent> events = Ledger.events(1 + i % 5);
                    Ledger.insert(connection, "scheduler", events);
                    expected.addAll(events);
                }
            }
            ended.set(true);
            int appended = 0;
            for (Future<Integer> writer : writers) {
                appended += writer.get(60, TimeUnit.SECONDS);
            }
            assertThat(appended).isEqualTo(expected.size());
        }
        assertThat(LogReading.checkedEntries(ledger)).isEqualTo(texts(expected));
    }

    /// Steps until nothing is left, however often the other one was faster.
    ///
    /// @return how many events this one appended
    private static int outrun(LogWriter writer, AtomicBoolean ended) {
        int appended = 0;
        while (true) {
            boolean last = ended.get();
            try {
                Step step = writer.step();
                appended += step.events();
                if (last && step.rows() == 0) {
                    return appended;
                }
            } catch (DuplicateKeyException outrun) {
                // The other one was faster; the next step reads the log anew.
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"checkpoint", "entry_part", "hash_part", "mention", "event_ids", "progress", "commit"})
    void a_crash_at_any_step_leaves_no_gap_and_no_duplicate(String step) throws SQLException {
        LogWriter writer = ledger.writer();
        List<AuditEvent> before = ledger.emit("scheduler", 250);
        writer.step();
        dieAt(step);
        List<AuditEvent> during = ledger.emit("scheduler", 20);
        assertThatThrownBy(writer::step)
                .isInstanceOfAny(DataAccessException.class, org.springframework.transaction.TransactionException.class);
        ledger.as(Role.OWNER).sql("DROP FUNCTION audit.die() CASCADE").update();

        List<AuditEvent> after = ledger.emit("access", 5);
        LogWriter successor = ledger.writer();
        successor.step();

        assertThat(LogReading.checkedEntries(ledger)).isEqualTo(texts(both(both(before, during), after)));
    }

    @Test
    void a_crash_after_the_commit_leaves_no_duplicate() throws SQLException {
        List<AuditEvent> events = ledger.emit("scheduler", 300);
        ledger.writer().step();

        LogWriter successor = ledger.writer();
        Step step = successor.step();

        assertThat(step).isEqualTo(new Step(0, 0));
        assertThat(LogReading.checkedEntries(ledger)).isEqualTo(texts(events));
    }

    @Test
    void in_another_cluster_transaction_numbers_start_anew_and_no_event_is_lost_or_doubled() throws SQLException {
        List<AuditEvent> events = ledger.emit("scheduler", 3);
        LogWriter writer = ledger.writer();
        writer.step();
        // A dump restored elsewhere: the progress was made in a cluster that had come much further.
        ledger.asSuperuser().sql("""
                        ALTER TABLE audit.progress DISABLE TRIGGER append_only;
                        UPDATE audit.progress SET cluster = cluster + 1, xid = '9000000000';
                        ALTER TABLE audit.progress ENABLE ALWAYS TRIGGER append_only
                        """).update();
        List<AuditEvent> later = ledger.emit("scheduler", 2);

        LogWriter successor = ledger.writer();
        successor.step();

        assertThat(LogReading.checkedEntries(ledger)).isEqualTo(texts(both(events, later)));
    }

    @Test
    void an_outbox_that_appears_later_is_found() throws SQLException {
        LogWriter writer = ledger.writer();
        assertThat(writer.step()).isEqualTo(new Step(0, 0));
        ledger.addOutbox("gdpr");
        List<AuditEvent> events = ledger.emit("gdpr", 2);

        assertThat(writer.step()).isEqualTo(new Step(1, 2));

        assertThat(LogReading.checkedEntries(ledger)).isEqualTo(texts(events));
    }

    @Test
    void an_outbox_that_may_not_be_read_yet_is_passed_over() throws SQLException {
        LogWriter writer = ledger.writer();
        ledger.as(Role.OWNER)
                .sql("REVOKE SELECT ON scheduler.outbox FROM vigil_audit")
                .update();
        ledger.emit("scheduler", 2);
        List<AuditEvent> events = ledger.emit("access", 2);
        assertThat(writer.step()).isEqualTo(new Step(1, 2));

        ledger.as(Role.OWNER)
                .sql("GRANT SELECT ON scheduler.outbox TO vigil_audit")
                .update();

        assertThat(writer.step()).isEqualTo(new Step(1, 2));
        assertThat(LogReading.checkedEntries(ledger))
                .hasSize(4)
                .startsWith(texts(events).toArray(String[]::new));
    }

    @Test
    void what_is_no_event_is_kept_aside_and_stands_in_the_log_as_a_failure() throws SQLException {
        List<byte[]> rows = List.of(
                new byte[] {0, 0, 0, 9, '{'},
                framed("not json"),
                framed("{\"id\":\"aud_0\"}"),
                framed("{\"nested\":{}}"),
                framed("{" + "\"a\":\"" + "x".repeat(65_530) + "\"}"),
                framed(new String(Ledger.events(1).getFirst().canonicalBytes(), UTF_8)
                        .replaceAll("\"timestamp\":\"[^\"]*\"", "\"timestamp\":\"+999999999-01-01T00:00:00Z\"")),
                framed(new String(Ledger.events(1).getFirst().canonicalBytes(), UTF_8)
                        .replace("\"create\"", "\"" + "y".repeat(9_000) + "\"")));
        for (byte[] row : rows) {
            ledger.as(Role.API)
                    .sql("INSERT INTO scheduler.outbox (n, events) VALUES (1, :events)")
                    .param("events", row)
                    .update();
        }
        List<AuditEvent> sound = ledger.emit("scheduler", 1);

        ledger.writer().step();

        List<String> entries = LogReading.checkedEntries(ledger);
        assertThat(entries).hasSize(rows.size() + 1);
        assertThat(entries.subList(0, rows.size()))
                .allMatch(entry -> entry.contains("\"event_type\":\"audit_unreadable\"")
                        && entry.contains("\"result\":\"failure\"")
                        && entry.contains("\"source\":\"scheduler\""));
        assertThat(entries.getLast()).isEqualTo(texts(sound).getFirst());
        assertThat(ledger.as(Role.AUDIT)
                        .sql("SELECT bytes FROM audit.unreadable ORDER BY id, place")
                        .query(byte[].class)
                        .list())
                .hasSize(rows.size())
                .first()
                .isEqualTo(rows.getFirst());
    }

    @Test
    void rows_that_are_in_the_log_are_pruned_and_only_those() throws SQLException {
        LogWriter writer = ledger.writer();
        ledger.emit("scheduler", 3);
        ledger.emit("scheduler", 3);
        writer.step();
        ledger.emit("scheduler", 4);

        writer.prune();

        // The newest transaction's rows stay until the next one is in the log: it might have more of them.
        assertThat(ledger.as(Role.AUDIT)
                        .sql("SELECT n FROM scheduler.outbox ORDER BY id")
                        .query(Integer.class)
                        .list())
                .containsExactly(3, 4);
        assertThat(writer.step()).isEqualTo(new Step(1, 4));
    }

    @Test
    void a_backlog_larger_than_one_batch_is_taken_in_steps() throws SQLException {
        int rows = Outboxes.ROWS_MAX + 10;
        try (Connection connection = ledger.connections(Role.API).getConnection()) {
            for (int i = 0; i < rows; i++) {
                Ledger.insert(connection, "scheduler", Ledger.events(1));
            }
        }
        LogWriter writer = ledger.writer();

        assertThat(writer.step()).isEqualTo(new Step(Outboxes.ROWS_MAX, Outboxes.ROWS_MAX));
        assertThat(writer.step()).isEqualTo(new Step(10, 10));
        assertThat(LogReading.checkedEntries(ledger)).hasSize(rows);
    }

    @Test
    void a_log_whose_tiles_contradict_its_checkpoint_is_not_signed_on() throws SQLException {
        ledger.emit("scheduler", 3);
        ledger.writer().step();
        ledger.asSuperuser().sql("""
                        ALTER TABLE audit.hash_part DISABLE TRIGGER append_only;
                        UPDATE audit.hash_part SET hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1)
                        """).update();
        ledger.emit("scheduler", 1);

        LogWriter successor = ledger.writer();

        assertThatThrownBy(successor::step)
                .isInstanceOf(TreeBrokenException.class)
                .hasMessageContaining("nothing more is signed");
    }

    @Test
    void a_new_signing_key_is_announced_in_the_log_that_it_signs() throws SQLException {
        ledger.emit("scheduler", 1);
        ledger.writer().step();
        var settings = new SequencerSettings(
                Ledger.newSigner("test.vigil/audit"),
                List.of("audit"),
                SequencerSettings.Pace.DEFAULT,
                java.time.InstantSource.system());
        var connection = new org.springframework.jdbc.datasource.SingleConnectionDataSource(
                ledger.connections(Role.AUDIT).getConnection(), true);
        var writer = new LogWriter(connection, settings);

        writer.announceNewKey();
        writer.step();

        Checkpoints.Signed newest =
                new Checkpoints(ledger.as(Role.AUDIT)).latest().orElseThrow();
        assertThat(Checkpoint.open(
                        newest.note().getBytes(UTF_8), settings.signer().verifier()))
                .isInstanceOf(Checkpoint.Opened.Verified.class);
        assertThat(new String(new Entries(ledger.as(Role.AUDIT)).at(List.of(1L)).get(1L), UTF_8))
                .contains("\"event_type\":\"key_rotated\"")
                .contains(settings.signer().verifier().toString());
        writer.announceNewKey();
        assertThat(writer.step()).isEqualTo(new Step(0, 0));
    }

    /// From now on the session that writes dies where it reaches that table, or at its commit.
    private void dieAt(String step) {
        boolean commit = step.equals("commit");
        ledger.asSuperuser().sql("""
                        CREATE FUNCTION audit.die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
                            AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END';
                        ALTER FUNCTION audit.die() OWNER TO vigil_owner;
                        GRANT pg_signal_backend TO vigil_owner;
                        """).update();
        ledger.as(Role.OWNER)
                .sql(
                        commit
                                ? "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON audit.progress"
                                        + " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit.die()"
                                : "CREATE TRIGGER die BEFORE INSERT ON audit.%s FOR EACH ROW EXECUTE FUNCTION audit.die()"
                                        .formatted(step))
                .update();
    }

    private static byte[] framed(String text) {
        byte[] bytes = text.getBytes(UTF_8);
        return java.nio.ByteBuffer.allocate(4 + bytes.length)
                .putInt(bytes.length)
                .put(bytes)
                .array();
    }

    private static List<AuditEvent> both(List<AuditEvent> first, List<AuditEvent> second) {
        return Stream.concat(first.stream(), second.stream()).toList();
    }

    private static List<String> texts(List<AuditEvent> events) {
        return events.stream()
                .map(event -> new String(event.canonicalBytes(), UTF_8))
                .toList();
    }
}
