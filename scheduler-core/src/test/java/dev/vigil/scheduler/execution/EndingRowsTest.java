package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.postgres.Role;
import dev.vigil.scheduler.TestDatabase;
import dev.vigil.scheduler.execution.EndingRows.Ending;
import dev.vigil.scheduler.execution.EndingRows.Reached;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.task.CreateResult.Created;
import dev.vigil.scheduler.task.Drafts;
import dev.vigil.scheduler.task.Tasks;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What a batch of endings stores on a real PostgreSQL, whatever they have in common.
class EndingRowsTest {
    private static final TestDatabase DATABASE = new TestDatabase();
    private static final UUID CORE = new UUID(7, 1);
    private static final UUID WORKER = new UUID(8, 1);
    private static final Instant STARTED = Instant.parse("2026-11-22T08:00:00.123456Z");

    private final Tasks tasks = DATABASE.tasks();

    @BeforeEach
    void ownAll() {
        DATABASE.superuser()
                .sql("TRUNCATE scheduler.task, scheduler.execution, scheduler.history, scheduler.outbox")
                .update();
        DATABASE.superuser()
                .sql("UPDATE scheduler.shard SET owner = :core, epoch = 1, change_seq = 0")
                .param("core", CORE)
                .update();
    }

    @Test
    void each_ending_keeps_what_is_its_own_among_neighbours_of_its_kind_and_of_others() {
        List<Due> due = create(5);

        Reached reached = close(List.of(
                ending(due.get(0), State.SUCCEEDED, 1, bytes("r0")),
                ending(due.get(1), State.FAILED, 2, null),
                ending(due.get(2), State.SUCCEEDED, 3, null),
                ending(due.get(3), State.FAILED, 4, bytes("r3")),
                ending(due.get(4), State.SUCCEEDED, 5, bytes("r4"))));

        assertThat(reached.ids())
                .containsExactlyInAnyOrderElementsOf(due.stream().map(Due::id).toList());
        for (int i = 0; i < 5; i++) {
            Map<String, Object> row = history(due.get(i));
            assertThat(row)
                    .containsEntry("duration_ms", i + 1L)
                    .containsEntry("state", i % 2 == 0 ? 1 : 2)
                    .containsEntry("code", i % 2 == 0 ? null : "handler_error")
                    .containsEntry("worker", WORKER)
                    .containsEntry("handler", due.get(i).task().handler())
                    .containsEntry("result", i == 1 || i == 2 ? null : "r" + i)
                    .containsEntry("started", i + 1L);
        }
        assertThat(events()).isEqualTo("10:" + String.join("", eventsOf(due, 0, 2, 4, 1, 3)));
        assertThat(count("SELECT count(*) FROM scheduler.execution")).isZero();
    }

    @Test
    void of_a_batch_that_is_reached_in_part_the_events_of_just_that_part_are_stored() {
        List<Due> due = create(4);
        DATABASE.superuser()
                .sql("UPDATE scheduler.execution SET fence_min = 99 WHERE id = :id")
                .param("id", due.get(1).id())
                .update();
        DATABASE.superuser()
                .sql("DELETE FROM scheduler.execution WHERE id = :id")
                .param("id", due.get(2).id())
                .update();

        Reached reached = close(
                due.stream().map(one -> ending(one, State.SUCCEEDED, 1, null)).toList());

        assertThat(reached.ids())
                .containsExactlyInAnyOrder(due.get(0).id(), due.get(3).id());
        assertThat(reached.shards())
                .isEqualTo(Set.copyOf(due.stream().map(Due::shard).toList()));
        assertThat(events()).isEqualTo("4:" + String.join("", eventsOf(due, 0, 3)));
        assertThat(count("SELECT count(*) FROM scheduler.history")).isEqualTo(2);
    }

    @Test
    void of_a_batch_that_is_not_reached_at_all_nothing_is_stored() {
        List<Due> due = create(2);
        DATABASE.superuser().sql("DELETE FROM scheduler.execution").update();

        Reached gone = close(
                due.stream().map(one -> ending(one, State.SUCCEEDED, 1, null)).toList());
        DATABASE.superuser().sql("UPDATE scheduler.shard SET epoch = 2").update();
        Reached lost = close(
                due.stream().map(one -> ending(one, State.SUCCEEDED, 1, null)).toList());

        assertThat(gone.ids()).isEmpty();
        assertThat(gone.shards()).isNotEmpty();
        assertThat(lost).isEqualTo(new Reached(Set.of(), Set.of(), Set.of()));
        assertThat(count("SELECT count(*) FROM scheduler.outbox")).isZero();
    }

    @Test
    void an_execution_that_comes_twice_in_a_batch_ends_once() {
        Due due = create(1).getFirst();
        Ending ending = ending(due, State.SUCCEEDED, 1, null);

        assertThat(close(List.of(ending, ending)).ids()).containsExactly(due.id());
        assertThat(events()).isEqualTo("2:" + String.join("", eventsOf(List.of(due), 0)));
        assertThat(count("SELECT count(*) FROM scheduler.history")).isEqualTo(1);
    }

    private List<Due> create(int n) {
        List<UUID> ids =
                tasks
                        .createAll(IntStream.range(0, n)
                                .mapToObj(i -> Drafts.task(Drafts.now()))
                                .toList())
                        .stream()
                        .map(created -> ((Created) created).task().id())
                        .toList();
        DATABASE.superuser().sql("TRUNCATE scheduler.outbox").update();
        return ids.stream()
                .map(id -> OwnerReads.byId(DATABASE.as(Role.CORE), shard(id), List.of(id))
                        .getFirst())
                .toList();
    }

    private static int shard(UUID id) {
        return DATABASE.superuser()
                .sql("SELECT shard FROM scheduler.execution WHERE id = :id")
                .param("id", id)
                .query(Integer.class)
                .single();
    }

    private static Reached close(List<Ending> endings) {
        List<Owned.Shard> shards = endings.stream()
                .map(ending -> ending.due().shard())
                .distinct()
                .map(shard -> new Owned.Shard(shard, 1, 0))
                .toList();
        return EndingRows.close(DATABASE.as(Role.CORE), new Owned(CORE, shards), endings);
    }

    private static Ending ending(Due due, State state, int millis, byte @Nullable [] result) {
        return new Ending(
                due,
                state,
                7,
                1,
                WORKER,
                STARTED.plusMillis(millis),
                Duration.ofMillis(millis),
                state == State.SUCCEEDED ? null : "handler_error",
                result,
                false,
                bytes(event(due)),
                2);
    }

    private static String event(Due due) {
        return "<" + due.id() + ">";
    }

    private static List<String> eventsOf(List<Due> due, int... places) {
        return Arrays.stream(places).mapToObj(place -> event(due.get(place))).toList();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /// How many events are stored, and their bytes in order.
    private static String events() {
        return DATABASE.superuser()
                .sql("SELECT n || ':' || convert_from(events, 'UTF8') FROM scheduler.outbox")
                .query(String.class)
                .single();
    }

    private static Map<String, Object> history(Due due) {
        return DATABASE.superuser()
                .sql("""
                        SELECT duration_ms, state::int, code, worker, handler, convert_from(result, 'UTF8') AS result,
                               round(extract(milliseconds FROM started_at - :started::timestamptz))::bigint AS started
                          FROM scheduler.history WHERE id = :id
                        """)
                .param("started", STARTED.toString())
                .param("id", due.id())
                .query()
                .singleRow();
    }

    private static long count(String sql) {
        return DATABASE.superuser().sql(sql).query(Long.class).single();
    }
}
