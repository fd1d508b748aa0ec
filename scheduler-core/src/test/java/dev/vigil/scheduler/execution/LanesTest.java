package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.scheduler.execution.Lanes.Batch;
import dev.vigil.scheduler.execution.Lanes.Page;
import dev.vigil.scheduler.execution.OwnerReads.Cursor;
import dev.vigil.scheduler.execution.TaskFacts.WorkerNeed;
import dev.vigil.scheduler.task.Lane;
import dev.vigil.scheduler.task.Priority;
import dev.vigil.scheduler.task.RetryPolicy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// In which order the queues of a shard are served.
class LanesTest {
    private static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");
    private static final UUID FIRST = new UUID(0, 0);

    private final Lanes lanes = new Lanes(0);

    @Test
    void a_higher_priority_goes_first_until_a_lower_one_has_waited_30_seconds_longer_per_step() {
        read(Priority.LOW, due(Priority.LOW, "a", NOON.minusSeconds(89)));
        read(Priority.CRITICAL, due(Priority.CRITICAL, "a", NOON));

        assertThat(next(NOON).heads().getFirst().lane()).isEqualTo(Lane.of(Priority.CRITICAL, 1));
        lanes.remove(next(NOON).heads().getFirst().id());
        read(Priority.CRITICAL, due(Priority.CRITICAL, "a", NOON.plusSeconds(2)));

        assertThat(next(NOON.plusSeconds(2)).heads().getFirst().lane()).isEqualTo(Lane.of(Priority.LOW, 1));
    }

    @Test
    void what_no_worker_has_room_for_keeps_nobody_behind_it_from_being_read() {
        var full = new WorkerNeed(1, "full", null);
        List<Due> many = IntStream.range(0, Lanes.BLOCKED_MAX + 50)
                .mapToObj(i -> due(Priority.MEDIUM, "full", NOON.minusSeconds(600 - i)))
                .toList();
        int lane = Lane.of(Priority.MEDIUM, 1);
        var cursor = new Cursor(0, lane, Instant.EPOCH, FIRST);
        lanes.read(new Page(cursor, many, NOON), Set.of(full), id -> false);

        assertThat(lanes.size()).isEqualTo(Lanes.BLOCKED_MAX);
        read(Priority.MEDIUM, due(Priority.MEDIUM, "free", NOON));
        assertThat(lanes.next(NOON, NOON, Set.of(full), 10).orElseThrow().key().handler())
                .isEqualTo("free");
        many.subList(0, Lanes.BLOCKED_MAX / 2 + 1).forEach(due -> lanes.remove(due.id()));

        assertThat(lanes.toRead(NOON, Set.of()))
                .singleElement()
                .satisfies(again -> assertThat(again.at())
                        .isEqualTo(many.get(Lanes.BLOCKED_MAX).dueAt()));
    }

    @Test
    void a_namespace_with_20_000_due_keeps_50_others_with_one_each_for_no_more_than_a_batch_per_lane() {
        List<Due> big = IntStream.range(0, 20_000)
                .mapToObj(
                        i -> due(1, Priority.MEDIUM, "a", NOON.minusSeconds(600).plusMillis(i)))
                .toList();
        Map<Integer, List<Due>> table = new HashMap<>(Map.of(Lane.of(Priority.MEDIUM, 1), big));
        IntStream.rangeClosed(2, 51)
                .filter(namespace -> namespace % 16 != 1)
                .forEach(namespace -> table.computeIfAbsent(
                                Lane.of(Priority.MEDIUM, namespace), lane -> new ArrayList<>())
                        .add(due(namespace, Priority.MEDIUM, "a", NOON)));
        table.forEach((lane, rows) -> lanes.read(
                new Page(new Cursor(0, lane, Instant.EPOCH, FIRST), rows.subList(0, Math.min(1000, rows.size())), NOON),
                Set.of(),
                id -> false));

        var left = new HashSet<Integer>();
        table.values().forEach(rows -> rows.forEach(due -> left.add(due.task().namespace())));
        left.remove(1);
        int batches = 0;
        while (!left.isEmpty()) {
            Batch batch = lanes.next(NOON, NOON, Set.of(), 8).orElseThrow();
            batch.heads().forEach(due -> {
                lanes.remove(due.id());
                left.remove(due.task().namespace());
            });
            batches++;
        }

        // 15 lanes hold at most four namespaces each, and the big one has its turn between.
        assertThat(batches).isLessThanOrEqualTo(4 * 16);
        assertThat(lanes.size()).isGreaterThan(900);
    }

    @Test
    void two_handlers_of_a_namespace_take_turns_and_a_low_priority_is_not_overtaken_by_what_came_90_seconds_later() {
        IntStream.range(0, 10).forEach(i -> read(Priority.MEDIUM, due(Priority.MEDIUM, "much", NOON.minusSeconds(62))));
        read(Priority.MEDIUM, due(Priority.MEDIUM, "little", NOON));
        Due low = due(Priority.LOW, "a", NOON.minusSeconds(95));
        read(Priority.LOW, low);
        read(Priority.CRITICAL, due(Priority.CRITICAL, "a", NOON));

        assertThat(next(NOON).heads()).containsExactly(low);
        lanes.remove(low.id());
        assertThat(next(NOON).heads().getFirst().lane()).isEqualTo(Lane.of(Priority.MEDIUM, 1));
        String one = next(NOON).key().handler();
        String other = next(NOON).key().handler();
        assertThat(List.of(one, other)).containsExactlyInAnyOrder("much", "little");
    }

    private Batch next(Instant now) {
        return lanes.next(now, now, Set.of(), 1).orElseThrow();
    }

    private void read(Priority priority, Due due) {
        var cursor = new Cursor(0, Lane.of(priority, 1), Instant.EPOCH, FIRST);
        lanes.read(new Page(cursor, List.of(due), NOON.plusSeconds(60)), Set.of(), id -> false);
    }

    private static Due due(Priority priority, String handler, Instant at) {
        return due(1, priority, handler, at);
    }

    private static Due due(int namespace, Priority priority, String handler, Instant at) {
        var task = new TaskFacts(
                namespace,
                UUID.randomUUID(),
                1,
                FIRST,
                handler,
                FIRST,
                1,
                Duration.ofMinutes(1),
                RetryPolicy.NONE,
                false,
                true);
        return new Due(0, UUID.randomUUID(), Lane.of(priority, namespace), at, at, 0, 0, 0, task, null, 0);
    }
}
