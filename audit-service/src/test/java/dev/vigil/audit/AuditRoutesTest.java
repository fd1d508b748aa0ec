package dev.vigil.audit;

import static dev.vigil.audit.RunningService.EVENTS;
import static dev.vigil.audit.RunningService.assertProblem;
import static dev.vigil.audit.RunningService.event;
import static dev.vigil.audit.RunningService.head;
import static dev.vigil.audit.RunningService.path;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vigil.postgres.Role;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.tree.ConsistencyProof;
import dev.vigil.protocol.tree.EntryBundle;
import dev.vigil.protocol.tree.Hash;
import dev.vigil.protocol.tree.InclusionProof;
import dev.vigil.protocol.tree.Tile;
import dev.vigil.protocol.tree.TreeHead;
import dev.vigil.protocol.tree.VerifierKey;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// What the log answers to who may read it.
class AuditRoutesTest {
    private static final RunningService SERVICE = new RunningService();

    @AfterAll
    static void stop() {
        SERVICE.close();
    }

    @Test
    void an_event_is_listed_within_a_second_of_its_commit() throws Exception {
        for (int i = 0; i < 5; i++) {
            UUID task = Id.next(Kind.TASK).uuid();
            SERVICE.emit(event(EventType.TASK_CREATED, "create").task(task));
            String query = EVENTS + "?task_id=" + new Id(Kind.TASK, task);

            await().atMost(Duration.ofSeconds(1))
                    .pollInterval(Duration.ofMillis(50))
                    .until(() -> SERVICE.json(query).path("items").size() == 1);
        }
    }

    @Test
    void a_listed_event_is_its_canonical_bytes_and_its_place_in_the_log() throws Exception {
        UUID task = Id.next(Kind.TASK).uuid();
        AuditEvent event = event(EventType.TASK_EXECUTION, "execute")
                .task(task)
                .durationMillis(41)
                .with("ip_address", "192.0.2.7");
        SERVICE.emit(event);

        JsonNode item = SERVICE.listed(task, 1).get(0);

        assertThat(item.path("event_type").asString()).isEqualTo("task_execution");
        assertThat(item.path("duration_ms").asLong()).isEqualTo(41);
        long seq = item.path("seq").asLong();
        byte[] bundle = SERVICE.bytes("/api/v1/audit/" + SERVICE.entriesOf(seq));
        assertThat(EntryBundle.read(bundle).entry((int) (seq % Tile.FULL))).isEqualTo(event.canonicalBytes());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"event_type", "actor", "user_id", "task_id", "execution_id", "worker_id", "subject", "action"})
    void each_filter_finds_its_events_and_no_others(String filter) throws Exception {
        AuditEvent wanted = event(EventType.WORKER_BLOCKED, "a" + UUID.randomUUID())
                .user(Id.next(Kind.USER).uuid())
                .task(Id.next(Kind.TASK).uuid())
                .execution(Id.next(Kind.EXECUTION).uuid())
                .worker(Id.next(Kind.WORKER).uuid())
                .subject(UUID.randomUUID().toString().replace("-", ""));
        SERVICE.emit(wanted);
        SERVICE.emit(
                event(EventType.TASK_CREATED, "create").task(Id.next(Kind.TASK).uuid()));
        JsonNode fields = JsonMapper.shared().readTree(wanted.canonicalBytes());
        String value = fields.path(filter.equals("actor") ? "user_id" : filter).asString();
        await().until(() -> SERVICE.find(wanted.id()));

        JsonNode items = SERVICE.json(EVENTS + "?" + filter + "=" + value).path("items");

        assertThat(items).isNotEmpty();
        assertThat(items.valueStream()
                        .map(item -> item.path(filter.equals("actor") ? "user_id" : filter)
                                .asString()))
                .containsOnly(value);
        assertThat(items.valueStream().map(item -> item.path("id").asString()))
                .contains(new Id(Kind.AUDIT_EVENT, wanted.id()).toString());
    }

    @Test
    void results_and_times_filter_too() throws Exception {
        UUID task = Id.next(Kind.TASK).uuid();
        Instant day = Instant.parse("2020-01-02T00:00:00Z");
        int second = 0;
        for (Result result : Result.values()) {
            SERVICE.emit(AuditEvent.of(EventType.API_CALL, "x", result, day.plusSeconds(second++))
                    .task(task));
        }
        SERVICE.listed(task, 3);
        String of = EVENTS + "?task_id=" + new Id(Kind.TASK, task);

        assertThat(SERVICE.json(of + "&result=denied").path("items")).hasSize(1);
        assertThat(SERVICE.json(of + "&result=success").path("items")).hasSize(1);
        assertThat(SERVICE.json(of + "&from=2020-01-02T00:00:01Z").path("items"))
                .hasSize(2);
        assertThat(SERVICE.json(of + "&to=2020-01-02T00:00:01Z").path("items")).hasSize(1);
        assertThat(SERVICE.json(of + "&from=2020-01-02T02:00:00%2B02:00&to=2020-01-02T00:00:02Z")
                        .path("items"))
                .hasSize(2);
    }

    @Test
    void filters_hold_together_whichever_of_them_finds_less() throws Exception {
        UUID task = Id.next(Kind.TASK).uuid();
        UUID often = Id.next(Kind.USER).uuid();
        UUID seldom = Id.next(Kind.USER).uuid();
        var events = IntStream.range(0, 3_000)
                .mapToObj(i -> event(EventType.TASK_UPDATED, i % 1_000 == 7 ? "seldom" : "often")
                        .task(task)
                        .user(i % 1_500 == 7 ? seldom : often))
                .toList();
        SERVICE.emit(events.toArray(AuditEvent[]::new));
        await().until(() -> SERVICE.find(events.getLast().id()));
        String of = EVENTS + "?limit=200&task_id=" + new Id(Kind.TASK, task);

        assertThat(SERVICE.json(of + "&action=seldom").path("items")).hasSize(3);
        assertThat(SERVICE.json(of + "&actor=" + new Id(Kind.USER, seldom)).path("items"))
                .hasSize(2);
        assertThat(SERVICE.json(of + "&action=seldom&actor=" + new Id(Kind.USER, seldom))
                        .path("items"))
                .hasSize(1);
        assertThat(SERVICE.json(of + "&action=often&actor=" + new Id(Kind.USER, often))
                        .path("items"))
                .hasSize(200);
        assertThat(SERVICE.json(of + "&action=never").path("items")).isEmpty();
    }

    @Test
    void events_of_other_times_stand_where_they_happened_whenever_they_were_told() throws Exception {
        UUID task = Id.next(Kind.TASK).uuid();
        Instant day = Instant.parse("2021-03-04T00:00:00Z");
        // A second, ten seconds, half a minute and a day apart, told in three steps out of order.
        List<Integer> seconds = List.of(30, 0, 11, 86_400, 1, 10, 9, 61, 60, 12, 31);
        for (List<Integer> step : List.of(seconds.subList(0, 5), seconds.subList(5, 8), seconds.subList(8, 11))) {
            SERVICE.emit(step.stream()
                    .map(second -> AuditEvent.of(
                                    EventType.TASK_UPDATED, "update", Result.SUCCESS, day.plusSeconds(second))
                            .task(task))
                    .toArray(AuditEvent[]::new));
            SERVICE.listed(task, seconds.indexOf(step.getLast()) + 1);
        }
        List<String> expected = seconds.stream()
                .sorted()
                .map(second -> day.plusSeconds(second).toString())
                .toList();
        for (String sort : List.of("timestamp", "-timestamp")) {
            var seen = new ArrayList<String>();
            String page = EVENTS + "?task_id=" + new Id(Kind.TASK, task) + "&limit=2&sort=" + sort;
            JsonNode answer = SERVICE.json(page);
            while (true) {
                answer.path("items")
                        .forEach(item -> seen.add(
                                Instant.parse(item.path("timestamp").asString()).toString()));
                if (answer.path("next").isNull()) {
                    break;
                }
                answer = SERVICE.json(page + "&after=" + answer.path("next").asString());
            }
            assertThat(sort.equals("timestamp") ? seen : seen.reversed()).isEqualTo(expected);
        }
    }

    @Test
    void what_the_version_before_listed_is_found_among_the_rest() throws Exception {
        UUID task = Id.next(Kind.TASK).uuid();
        UUID other = Id.next(Kind.TASK).uuid();
        AuditEvent earlier = event(EventType.TASK_CREATED, "create").task(other);
        SERVICE.emit(earlier);
        long seq = SERVICE.listed(other, 1).get(0).path("seq").asLong();
        UUID listedThen = Id.next(Kind.AUDIT_EVENT).uuid();
        SERVICE.ledger()
                .as(Role.AUDIT)
                .sql("""
                        INSERT INTO audit.event (seq, id, at, event_type, action, result, task_id)
                        VALUES (:seq, :id, now() - interval '1 hour', 'task_created', 'create', 'success', :task)
                        """)
                .param("seq", seq)
                .param("id", listedThen)
                .param("task", task)
                .update();
        SERVICE.emit(event(EventType.TASK_DELETED, "delete").task(task));

        JsonNode items = SERVICE.listed(task, 2);

        assertThat(items.get(0).path("event_type").asString()).isEqualTo("task_deleted");
        assertThat(items.get(1).path("seq").asLong()).isEqualTo(seq);
        assertThat(SERVICE.find(listedThen)).isTrue();
    }

    @Test
    void pages_follow_one_another_without_gap_or_overlap_in_both_orders() throws Exception {
        UUID task = Id.next(Kind.TASK).uuid();
        var events = IntStream.range(0, 23)
                .mapToObj(i -> event(EventType.TASK_UPDATED, "update").task(task))
                .toList();
        SERVICE.emit(events.toArray(AuditEvent[]::new));
        SERVICE.listed(task, 23);
        for (String sort : List.of("-timestamp", "timestamp")) {
            var seen = new ArrayList<Long>();
            String page = EVENTS + "?task_id=" + new Id(Kind.TASK, task) + "&limit=5&sort=" + sort;
            JsonNode answer = SERVICE.json(page);
            while (true) {
                answer.path("items").forEach(item -> seen.add(item.path("seq").asLong()));
                if (answer.path("next").isNull()) {
                    break;
                }
                answer = SERVICE.json(page + "&after=" + answer.path("next").asString());
            }
            assertThat(seen).hasSize(23).doesNotHaveDuplicates();
            assertThat(sort.equals("timestamp") ? seen : seen.reversed()).isSorted();
        }
    }

    @Test
    void a_cursor_that_was_changed_or_belongs_to_another_list_is_refused() throws Exception {
        UUID task = Id.next(Kind.TASK).uuid();
        SERVICE.emit(
                event(EventType.TASK_UPDATED, "a").task(task),
                event(EventType.TASK_UPDATED, "a").task(task));
        SERVICE.listed(task, 2);
        String list = EVENTS + "?limit=1&task_id=" + new Id(Kind.TASK, task);
        String cursor = SERVICE.json(list).path("next").asString();
        assertThat(SERVICE.get(list + "&after=" + cursor, SERVICE.token()).statusCode())
                .isEqualTo(200);

        for (int i = 0; i < cursor.length(); i++) {
            String changed = cursor.substring(0, i) + (cursor.charAt(i) == 'A' ? 'B' : 'A') + cursor.substring(i + 1);
            assertProblem(SERVICE.get(list + "&after=" + changed, SERVICE.token()), 400, "bad_cursor");
        }
        assertProblem(SERVICE.get(EVENTS + "?limit=1&after=" + cursor, SERVICE.token()), 400, "bad_cursor");
        assertProblem(SERVICE.get(list + "&sort=timestamp&after=" + cursor, SERVICE.token()), 400, "bad_cursor");
        assertProblem(SERVICE.get(list + "&after=", SERVICE.token()), 400, "bad_cursor");
    }

    @ParameterizedTest
    @CsvSource({
        "nonsense=1, 400, unknown_parameter",
        "limit=1&limit=2, 400, malformed_request",
        "sort=id, 400, bad_sort",
        "limit=0, 422, validation_failed",
        "limit=201, 422, validation_failed",
        "limit=x, 422, validation_failed",
        "from=yesterday, 422, validation_failed",
        "to=2020-13-01T00:00:00Z, 422, validation_failed",
        "event_type=task_exploded, 422, validation_failed",
        "result=maybe, 422, validation_failed",
        "task_id=wrk_00000000000000000000000000, 422, validation_failed",
        "actor=tsk_00000000000000000000000000, 422, validation_failed",
        "worker_id=1%27%20OR%20%271%27=%271, 422, validation_failed",
        "subject=, 422, validation_failed",
        "subject=customer-4711, 422, validation_failed",
        "subject=0123456789ABCDEF0123456789ABCDEF, 422, validation_failed",
        "action=%00, 422, validation_failed"
    })
    void an_impossible_filter_is_refused_and_never_ignored(String query, int status, String code) throws Exception {
        assertProblem(SERVICE.get(EVENTS + "?" + query, SERVICE.token()), status, code);
    }

    @Test
    void a_proof_convinces_whoever_has_only_the_public_key() throws Exception {
        AuditEvent event = event(EventType.TASK_DELETED, "delete");
        SERVICE.emit(event);
        await().until(() -> SERVICE.find(event.id()));

        JsonNode proof = SERVICE.json(EVENTS + "/" + new Id(Kind.AUDIT_EVENT, event.id()) + "/proof");

        VerifierKey key = SERVICE.publicKey();
        byte[] leaf = Base64.getDecoder().decode(proof.path("leaf").asString());
        assertThat(leaf).isEqualTo(event.canonicalBytes());
        TreeHead head = head(proof.path("checkpoint").asString().getBytes(UTF_8), key);
        var inclusion = new InclusionProof(
                proof.path("index").asLong(), proof.path("tree_size").asLong(), path(proof));
        assertThat(inclusion.proves(Hash.leaf(leaf), head)).isTrue();
        assertThat(key.name()).isEqualTo("test.vigil/audit");
    }

    @Test
    void checkpoints_are_consistent_with_each_other() throws Exception {
        TreeHead earlier = head(SERVICE.bytes("/api/v1/audit/checkpoint"), SERVICE.publicKey());
        SERVICE.emit(IntStream.range(0, 300)
                .mapToObj(i -> event(EventType.TASK_CREATED, "create"))
                .toArray(AuditEvent[]::new));
        await().until(() -> head(SERVICE.bytes("/api/v1/audit/checkpoint"), SERVICE.publicKey())
                        .size()
                >= earlier.size() + 300);
        TreeHead later = head(SERVICE.bytes("/api/v1/audit/checkpoint"), SERVICE.publicKey());

        JsonNode answer = SERVICE.json("/api/v1/audit/consistency?from=" + earlier.size() + "&to=" + later.size());

        var proof = new ConsistencyProof(
                answer.path("from").asLong(), answer.path("to").asLong(), path(answer));
        assertThat(proof.proves(earlier, later)).isTrue();
        assertProblem(
                SERVICE.get("/api/v1/audit/consistency?from=1&to=" + (later.size() + 100_000), SERVICE.token()),
                422,
                "validation_failed");
        assertProblem(SERVICE.get("/api/v1/audit/consistency?from=2&to=1", SERVICE.token()), 422, "validation_failed");
        assertProblem(SERVICE.get("/api/v1/audit/consistency?from=-1&to=1", SERVICE.token()), 422, "validation_failed");
        assertProblem(SERVICE.get("/api/v1/audit/consistency?from=1", SERVICE.token()), 400, "unknown_parameter");
    }
}
