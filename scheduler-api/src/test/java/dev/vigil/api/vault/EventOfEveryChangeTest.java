package dev.vigil.api.vault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.api.Api;
import dev.vigil.api.Api.Reply;
import dev.vigil.api.web.RouteTable;
import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.TestPostgres;
import dev.vigil.protocol.audit.EventBatch;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

/// Every route of the table that changes something writes its event, and changes nothing when it cannot.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EventOfEveryChangeTest {
    /// Rows that say nothing about what was asked for: what is handed out in blocks, and what is counted.
    private static final Set<String> BESIDE = Set.of(
            "access.outbox",
            "scheduler.outbox",
            "scheduler.quota",
            "scheduler.quota_freed",
            "vault.data_key",
            "vault.master_key");

    private Api api;
    private Api.Http admin;
    private JdbcClient db;
    private SingleConnectionDataSource connection;
    private Map<String, Changes.Change> changes;
    private String hashes = "";

    @BeforeAll
    void start() {
        api = Api.start(Map.of("vigil.limits.requests-per-minute", 1_000_000));
        admin = api.admin();
        Credentials superuser = TestPostgres.superuser(api.database());
        connection = new SingleConnectionDataSource(superuser.url(), superuser.username(), superuser.password(), true);
        db = JdbcClient.create(connection);
        changes = new Changes(api).all();
        changes.keySet()
                .retainAll(api.context().getBean(RouteTable.class).routes().stream()
                        .map(route -> route.operation().id())
                        .toList());
    }

    @AfterAll
    void stop() {
        connection.destroy();
        api.close();
    }

    @Test
    void the_list_has_every_route_that_changes_something() {
        Set<String> mutating = api.context().getBean(RouteTable.class).routes().stream()
                .filter(route -> !route.method().equals("GET"))
                .map(route -> route.operation().id())
                .collect(Collectors.toCollection(TreeSet::new));
        mutating.removeAll(changes.keySet());
        mutating.removeAll(Changes.without().keySet());

        assertThat(mutating)
                .as("these routes need a line in Changes: how they are called, and their event")
                .isEmpty();
    }

    @TestFactory
    Collection<DynamicTest> every_change_writes_its_event() {
        var tests = new ArrayList<DynamicTest>();
        changes.forEach((operation, change) -> tests.add(DynamicTest.dynamicTest(
                operation + " writes " + change.event().label(), () -> {
                    Reply reply = change.ready().get().get();

                    assertThat(reply.status()).as(reply.text()).isBetween(200, 299);
                    String type = "\"event_type\":\"" + change.event().label() + "\"";
                    await().atMost(Duration.ofSeconds(5))
                            .untilAsserted(() -> assertThat(events(reply.header("X-Request-Id")))
                                    .anyMatch(event -> event.contains(type)));
                })));
        return tests;
    }

    @TestFactory
    Collection<DynamicTest> nothing_changes_when_the_event_cannot_be_written() {
        var tests = new ArrayList<DynamicTest>();
        var stored = new LinkedHashMap<>(changes);
        // Signing a token changes no row. Its event waits in memory; when too many wait, this is refused as well.
        stored.remove("issueToken");
        stored.forEach((operation, change) -> tests.add(DynamicTest.dynamicTest(operation, () -> {
            var call = change.ready().get();
            settled();
            String before = state();
            db.sql("REVOKE INSERT ON access.outbox, scheduler.outbox FROM vigil_api")
                    .update();
            Reply reply;
            try {
                reply = call.get();
            } finally {
                db.sql("GRANT INSERT ON access.outbox, scheduler.outbox TO vigil_api")
                        .update();
            }

            if (operation.equals("createTasks")) {
                // Each line has an answer of its own.
                assertThat(reply.text().lines())
                        .isNotEmpty()
                        .allMatch(line -> line.contains("\"status\":503,\"code\":\"audit_unavailable\""));
            } else {
                assertThat(reply.status()).as(reply.text()).isEqualTo(503);
                assertThat(reply.code()).isEqualTo("audit_unavailable");
                assertThat(reply.header("Retry-After")).isNotEmpty();
            }
            assertThat(state()).isEqualTo(before);
        })));
        return tests;
    }

    /// Calls so far are written: their log is behind by a moment.
    private void settled() {
        String last = admin.get("/api/v1/me").header("X-Request-Id");
        await().atMost(Duration.ofSeconds(5)).until(() -> !events(last).isEmpty());
    }

    /// A hash of every table, in one text.
    private String state() {
        if (hashes.isEmpty()) {
            hashes = db.sql("""
                            SELECT string_agg(format('SELECT %L || md5(string_agg(t::text, chr(1) ORDER BY t::text)) AS hash
                                                        FROM %I.%I t', tablename || ' ', schemaname, tablename),
                                              ' UNION ALL ')
                              FROM pg_tables
                             WHERE schemaname IN ('access', 'vault', 'scheduler')
                               AND schemaname || '.' || tablename NOT IN (:beside)
                            """).param("beside", BESIDE).query(String.class).single();
        }
        return db.sql("SELECT string_agg(hash, chr(10) ORDER BY hash) FROM (" + hashes + ") AS tables")
                .query(String.class)
                .single();
    }

    /// The events of one call.
    private List<String> events(String requestId) {
        return db
                .sql("""
                        SELECT events
                          FROM (SELECT events FROM access.outbox UNION ALL SELECT events FROM scheduler.outbox) AS e
                         WHERE position(:key::bytea IN events) > 0
                        """)
                .param("key", requestId.getBytes(StandardCharsets.US_ASCII))
                .query(byte[].class)
                .list()
                .stream()
                .flatMap(row -> EventBatch.split(row).stream())
                .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                .filter(event -> event.contains("\"request_id\":\"" + requestId + "\""))
                .toList();
    }
}
