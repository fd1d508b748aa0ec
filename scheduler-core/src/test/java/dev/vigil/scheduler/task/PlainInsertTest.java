package dev.vigil.scheduler.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.protocol.audit.EventBatch;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.id.UuidV7;
import dev.vigil.scheduler.TestDatabase;
import dev.vigil.scheduler.task.CreateResult.AlreadyExists;
import dev.vigil.scheduler.task.CreateResult.Created;
import dev.vigil.scheduler.task.CreateResult.Refused;
import dev.vigil.scheduler.task.RetryPolicy.Backoff;
import dev.vigil.scheduler.task.Schedule.OneTime;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What a batch of plain tasks stores on a real PostgreSQL, whatever they have in common.
class PlainInsertTest {
    private static final TestDatabase DATABASE = new TestDatabase();
    private static final Instant LATER = Instant.parse("2031-01-02T03:04:05.123456Z");
    private static final UUID KEY = new UUID(7, 7);
    private static final Pattern TASK = Pattern.compile("\"task_id\":\"([^\"]+)\"");

    private final Tasks tasks = node();

    private static Tasks node() {
        return DATABASE.tasks();
    }

    @BeforeEach
    void empty() {
        DATABASE.superuser().sql("""
                        TRUNCATE scheduler.task, scheduler.execution, scheduler.inbox, scheduler.outbox
                        """).update();
    }

    @Test
    void each_task_keeps_what_is_its_own_among_neighbours_that_differ_in_any_one_column() {
        List<NewTask> wanted =
                Stream.of(usual(), odd(), usual()).flatMap(List::stream).toList();

        List<CreateResult> results = tasks.createAll(wanted);

        assertThat(results).hasSameSizeAs(wanted);
        for (int i = 0; i < wanted.size(); i++) {
            assertStored(wanted.get(i), (Created) results.get(i));
        }
        assertThat(eventful()).containsExactlyInAnyOrderElementsOf(ids(wanted));
        assertThat(count("SELECT count(*) FROM scheduler.outbox")).isOne();
        assertThat(count("SELECT count(DISTINCT created_at) FROM scheduler.task"))
                .isOne();
        assertThat(count("SELECT bit_or(lanes) FROM scheduler.inbox"))
                .isEqualTo(wanted.stream()
                        .mapToLong(task -> 1L << Lane.of(task.draft().priority(), task.namespace()))
                        .reduce(0, (one, other) -> one | other));
    }

    @Test
    void each_task_that_is_created_alone_has_the_same_columns_as_among_others() {
        List<NewTask> wanted = odd();

        for (NewTask task : wanted) {
            assertStored(task, (Created) tasks.create(task));
        }

        assertThat(eventful()).containsExactlyInAnyOrderElementsOf(ids(wanted));
        assertThat(count("SELECT count(*) FROM scheduler.inbox")).isEqualTo(wanted.size());
    }

    @Test
    void what_was_there_before_and_what_is_refused_leave_no_trace_and_the_others_their_order() {
        List<NewTask> wanted = new ArrayList<>(usual());
        wanted.add(2, task(DraftEdit.of(new OneTime(Instant.now().plus(Duration.ofDays(36600))))));
        wanted.addAll(4, odd());
        NewTask before = wanted.get(1);
        NewTask alike = wanted.getLast();
        tasks.createAll(List.of(before, alike));
        DATABASE.superuser()
                .sql("TRUNCATE scheduler.outbox, scheduler.inbox, scheduler.execution")
                .update();

        List<CreateResult> results = tasks.createAll(wanted);

        var created = new ArrayList<UUID>();
        for (int i = 0; i < wanted.size(); i++) {
            NewTask task = wanted.get(i);
            if (i == 2) {
                assertThat(results.get(i)).isInstanceOf(Refused.class);
            } else if (task.equals(before) || task.equals(alike)) {
                assertThat(results.get(i)).isEqualTo(new AlreadyExists(task.id()));
            } else {
                assertStored(task, (Created) results.get(i));
                created.add(task.id());
            }
        }
        assertThat(eventful()).containsExactlyInAnyOrderElementsOf(created);
        assertThat(count("SELECT count(*) FROM scheduler.execution")).isEqualTo(created.size());
        assertThat(count("SELECT n FROM scheduler.outbox")).isEqualTo(created.size());
    }

    @Test
    void a_batch_that_was_there_before_changes_nothing() {
        List<NewTask> wanted = usual();
        tasks.createAll(wanted);

        assertThat(tasks.createAll(wanted))
                .isEqualTo(ids(wanted).stream().map(AlreadyExists::new).toList());
        assertThat(tasks.create(wanted.getFirst()))
                .isEqualTo(new AlreadyExists(wanted.getFirst().id()));

        assertThat(count("SELECT count(*) FROM scheduler.outbox")).isOne();
        assertThat(count("SELECT count(*) FROM scheduler.inbox")).isOne();
        assertThat(count("SELECT count(*) FROM scheduler.execution")).isEqualTo(wanted.size());
    }

    @Test
    void two_nodes_that_create_the_same_tasks_at_the_same_time_store_each_once() throws Exception {
        Tasks other = node();
        try (var callers = Executors.newFixedThreadPool(2)) {
            for (int round = 0; round < 20; round++) {
                List<NewTask> wanted = round % 2 == 0 ? usual() : usual().subList(0, 1);
                Future<List<CreateResult>> theirs = callers.submit(() -> other.createAll(wanted));
                List<CreateResult> ours =
                        callers.submit(() -> tasks.createAll(wanted)).get();

                for (int i = 0; i < wanted.size(); i++) {
                    assertThat(List.of(ours.get(i), theirs.get().get(i)))
                            .hasAtLeastOneElementOfType(Created.class)
                            .contains(new AlreadyExists(wanted.get(i).id()));
                }
            }
        }

        assertThat(count("SELECT sum(n) FROM scheduler.outbox"))
                .isEqualTo(count("SELECT count(*) FROM scheduler.task"))
                .isEqualTo(count("SELECT count(*) FROM scheduler.execution"));
    }

    private static List<NewTask> usual() {
        return IntStream.range(0, 3).mapToObj(i -> task(usualDraft())).toList();
    }

    /// Each differs from the usual ones in one column.
    private static List<NewTask> odd() {
        var odd = new ArrayList<NewTask>();
        for (RetryPolicy retry : List.of(
                new RetryPolicy(9, Backoff.EXPONENTIAL, Duration.ofSeconds(10), Duration.ofMinutes(10)),
                new RetryPolicy(1, Backoff.LINEAR, Duration.ofSeconds(10), Duration.ofMinutes(10)),
                new RetryPolicy(1, Backoff.EXPONENTIAL, Duration.ofSeconds(9), Duration.ofMinutes(10)),
                new RetryPolicy(1, Backoff.EXPONENTIAL, Duration.ofSeconds(10), Duration.ofMinutes(9)))) {
            odd.add(task(usualDraft().retry(retry)));
        }
        odd.add(task(usualDraft().name("ä\"{},\\ NULL")));
        odd.add(task(usualDraft().handler("demo.other")));
        odd.add(task(usualDraft().priority(Priority.CRITICAL)));
        odd.add(task(usualDraft().timeout(Duration.ofSeconds(77))));
        odd.add(task(usualDraft().misfire(Misfire.ALL, 100)));
        odd.add(task(usualDraft().misfire(Misfire.LATEST, 7)));
        odd.add(task(usualDraft().overlap(Overlap.REPLACE)));
        odd.add(task(usualDraft().labels(Map.of("team", "d\"b\\a,", "order", "7"))));
        odd.add(task(usualDraft().schedule(Drafts.now())));
        odd.add(task(usualDraft().schedule(new OneTime(Instant.EPOCH))));
        odd.add(task(usualDraft().schedule(new OneTime(LATER.plusSeconds(1)))));
        TaskDraft draft = usualDraft().done();
        odd.add(task(18, Drafts.OWNER, draft, payload(KEY, 256)));
        odd.add(task(1, UuidV7.next(), draft, payload(KEY, 256)));
        odd.add(task(1, Drafts.OWNER, draft, payload(new UUID(8, 8), 256)));
        odd.add(task(1, Drafts.OWNER, draft, payload(KEY, 2048)));
        return odd;
    }

    private static DraftEdit usualDraft() {
        return DraftEdit.of(new OneTime(LATER)).labels(Map.of());
    }

    private static NewTask task(DraftEdit draft) {
        return task(1, Drafts.OWNER, draft.done(), payload(KEY, 256));
    }

    private static NewTask task(int namespace, UUID owner, TaskDraft draft, TaskDraft.Sealed payload) {
        UUID id = UuidV7.next();
        return new NewTask(id, namespace, owner, draft, payload, Limits.NONE, Events.of(Drafts.event(id)));
    }

    private static TaskDraft.Sealed payload(UUID key, int length) {
        byte[] sealed = new byte[length];
        new Random(length).nextBytes(sealed);
        return new TaskDraft.Sealed(key, 1, sealed, null, null, List.of());
    }

    private void assertStored(NewTask task, Created created) {
        TaskView view = tasks.get(task.id()).orElseThrow();
        assertThat(created.task()).isEqualTo(view);
        assertThat(view.draft()).isEqualTo(task.draft());
        assertThat(view.namespace()).isEqualTo(task.namespace());
        assertThat(view.owner()).isEqualTo(task.owner());
        assertThat(view.keyId()).isEqualTo(task.payload().keyId());
        assertThat(tasks.payload(view.ref())).hasValue(task.payload().sealed());
        assertThat(DATABASE.superuser().sql("""
                                SELECT e.lane, e.due_at = e.scheduled_for AND e.due_at = greatest(t.at, t.created_at)
                                       AND e.shard = t.shard AND e.version = 1 AND t.payload_bytes = length(t.payload)
                                       AS whole
                                  FROM scheduler.execution e
                                  JOIN scheduler.task t ON t.namespace = e.namespace AND t.id = e.task_id
                                 WHERE e.id = :id
                                """).param("id", task.id()).query().singleRow())
                .containsEntry("lane", Lane.of(task.draft().priority(), task.namespace()))
                .containsEntry("whole", true);
    }

    private static List<UUID> ids(List<NewTask> tasks) {
        return tasks.stream().map(NewTask::id).toList();
    }

    /// The tasks that the stored events are about.
    private static List<UUID> eventful() {
        return DATABASE.superuser().sql("SELECT events FROM scheduler.outbox").query(byte[].class).list().stream()
                .flatMap(row -> EventBatch.split(row).stream())
                .map(event -> TASK.matcher(new String(event, StandardCharsets.UTF_8)))
                .map(found -> found.find() ? found.group(1) : "")
                .map(id -> Id.parse(Kind.TASK, id).orElseThrow().uuid())
                .toList();
    }

    private static long count(String sql) {
        return DATABASE.superuser().sql(sql).query(Long.class).single();
    }
}
