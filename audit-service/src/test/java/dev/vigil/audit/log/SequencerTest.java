package dev.vigil.audit.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.audit.log.Sequencer.State;
import dev.vigil.postgres.Role;
import dev.vigil.protocol.audit.AuditEvent;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

class SequencerTest {
    private final Ledger ledger = Ledger.fresh();

    @Test
    void an_event_is_in_the_log_within_a_second_of_its_commit() {
        try (Sequencer sequencer = started()) {
            await().until(() -> sequencer.state() == State.LEADING);
            for (int i = 1; i <= 5; i++) {
                ledger.emit("scheduler", 1);
                int size = i;
                await().pollInterval(Duration.ofMillis(20))
                        .atMost(Duration.ofSeconds(1))
                        .until(() -> size() == size);
            }
        }
        assertThat(LogReading.checkedEntries(ledger)).hasSize(5);
    }

    @Test
    void of_two_sequencers_one_leads_and_the_other_takes_over_when_it_dies() {
        Sequencer one = started();
        await().until(() -> one.state() == State.LEADING);
        try (Sequencer two = started()) {
            await().until(() -> two.state() == State.STANDING_BY);
            ledger.emit("scheduler", 10);
            await().until(() -> size() == 10);
            assertThat(two.state()).isEqualTo(State.STANDING_BY);

            one.close();

            await().until(() -> two.state() == State.LEADING);
            ledger.emit("scheduler", 5);
            await().until(() -> size() == 15);
        }
        assertThat(LogReading.checkedEntries(ledger)).hasSize(15);
    }

    @Test
    void a_killed_connection_is_replaced_and_nothing_is_lost_or_doubled() throws SQLException {
        var expected = new ArrayList<AuditEvent>();
        try (Sequencer sequencer = started();
                Connection connection = ledger.connections(Role.API).getConnection()) {
            for (int i = 0; i < 200; i++) {
                List<AuditEvent> events = Ledger.events(3);
                Ledger.insert(connection, "scheduler", events);
                expected.addAll(events);
                if (i % 20 == 10) {
                    await().until(() -> sequencer.state() == State.LEADING);
                    killLeader();
                }
            }
            await().until(() -> size() == expected.size());
        }
        assertThat(LogReading.checkedEntries(ledger)).hasSize(expected.size()).doesNotHaveDuplicates();
    }

    @Test
    void an_idle_transaction_stalls_the_log_no_longer_than_its_role_may_idle() throws SQLException {
        try (Sequencer sequencer = started();
                Connection forgotten = ledger.emitUncommitted("scheduler", Ledger.events(1))) {
            await().until(() -> sequencer.state() == State.LEADING);
            List<AuditEvent> events = ledger.emit("access", 4);

            // idle_in_transaction_session_timeout of the service roles is 3 s, then the server ends the session.
            await().atMost(Duration.ofSeconds(5)).until(() -> size() == events.size());

            assertThat(forgotten.isValid(1)).isFalse();
        }
        assertThat(LogReading.checkedEntries(ledger)).hasSize(4);
    }

    @Test
    void an_idle_sequencer_asks_at_most_twice_a_second() {
        var statements = new AtomicInteger();
        try (var sequencer = new Sequencer(counted(ledger.connections(Role.AUDIT), statements), ledger.settings())) {
            sequencer.start();
            await().until(() -> sequencer.state() == State.LEADING);
            int before = statements.get();
            long from = System.nanoTime();
            await().atMost(Duration.ofSeconds(30)).until(() -> statements.get() - before == 20);

            assertThat(Duration.ofNanos(System.nanoTime() - from)).isGreaterThanOrEqualTo(Duration.ofMillis(9_900));
        }
    }

    private Sequencer started() {
        var sequencer = new Sequencer(ledger.connections(Role.AUDIT), ledger.settings());
        sequencer.start();
        return sequencer;
    }

    private long size() {
        return new Checkpoints(ledger.as(Role.AUDIT))
                .latest()
                .map(signed -> signed.head().size())
                .orElse(0L);
    }

    private void killLeader() {
        ledger.asSuperuser().sql("""
                        SELECT pg_terminate_backend(pid)
                          FROM pg_locks
                         WHERE locktype = 'advisory'
                           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                        """).query().listOfRows();
    }

    /// Connections that count the statements prepared on them.
    private static DataSource counted(DataSource source, AtomicInteger statements) {
        return proxy(DataSource.class, (proxy, method, arguments) -> {
            var connection = (Connection) method.invoke(source, arguments);
            return proxy(Connection.class, (own, call, values) -> {
                if (call.getName().startsWith("prepare")) {
                    statements.incrementAndGet();
                }
                return call.invoke(connection, values);
            });
        });
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }
}
