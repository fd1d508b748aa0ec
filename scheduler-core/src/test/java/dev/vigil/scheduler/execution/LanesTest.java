package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import dev.vigil.scheduler.execution.Lanes.Page;
import dev.vigil.scheduler.execution.OwnerReads.Cursor;
import dev.vigil.scheduler.execution.TaskFacts.WorkerNeed;
import dev.vigil.scheduler.execution.Turns.Batch;
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
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// In which order the queues of a shard are served.
class LanesTest {
    private static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");
    private static final UUID FIRST = new UUID(0, 0);

    private final Lanes lanes = new Lanes(0);
    private final Turns turns = new Turns(namespace -> namespace == 3 ? 3 : 1);

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
        var cursor = new Cursor(0, lane, Instant.EPOCH, FIRST, null, List.of());
        lanes.read(new Page(cursor, many, NOON), Set.of(full), id -> false);

        assertThat(lanes.size()).isEqualTo(Lanes.BLOCKED_MAX);
        read(Priority.MEDIUM, due(Priority.MEDIUM, "free", NOON));
        assertThat(deal(NOON, Set.of(full), 10).key().handler()).isEqualTo("free");
        many.subList(0, Lanes.BLOCKED_MAX / 2 + 1).forEach(due -> lanes.remove(due.id()));

        assertThat(lanes.toRead(NOON, Set.of(full)))
                .as("while there is no room")
                .isEmpty();
        assertThat(lanes.toRead(NOON, Set.of())).singleElement().satisfies(again -> {
            assertThat(again.only()).isEqualTo(1);
            assertThat(again.id())
                    .as("the one before")
                    .isEqualTo(many.get(Lanes.BLOCKED_MAX - 1).id());
        });
    }

    @Test
    void a_backlog_that_no_worker_has_room_for_is_not_walked_through_again_for_each_bit_of_room() {
        var full = new WorkerNeed(1, "full", null);
        List<Due> table = IntStream.range(0, 10_000)
                .mapToObj(
                        i -> due(Priority.MEDIUM, "full", NOON.minusSeconds(600).plusMillis(i / 2_000)))
                .sorted(Due.ORDER)
                .collect(Collectors.toCollection(ArrayList::new));
        int all = table.size();
        lanes.rewind(Lane.of(Priority.MEDIUM, 1), NOON.minusSeconds(600));
        int read = 0;
        int served = 0;
        while (!table.isEmpty()) {
            read += readOn(table, Set.of(full)) + readOn(table, Set.of());
            Batch batch = deal(NOON, Set.of(), 64);
            batch.heads().forEach(due -> lanes.remove(due.id()));
            assertThat(table.removeAll(Set.copyOf(batch.heads()))).isTrue();
            served += batch.heads().size();
        }

        assertThat(served).isEqualTo(all);
        assertThat(read).isLessThan(3 * all);
        readOn(table, Set.of());
        lanes.rewind(Lane.of(Priority.MEDIUM, 1), NOON);
        assertThat(lanes.toRead(NOON, Set.of()))
                .as("one cursor is enough again")
                .singleElement()
                .satisfies(cursor -> assertThat(cursor.only()).isNull());
    }

    /// Reads as long as there is something to read on.
    ///
    /// @return how many rows that were
    private int readOn(List<Due> table, Set<WorkerNeed> blocked) {
        int rows = 0;
        List<Cursor> cursors = lanes.toRead(NOON, blocked);
        while (!cursors.isEmpty()) {
            for (Cursor cursor : cursors) {
                List<Due> page = table.stream()
                        .filter(due -> cursor.reads(due.task().namespace()))
                        .filter(due -> due.dueAt().isAfter(cursor.at())
                                || (due.dueAt().equals(cursor.at()) && Due.compareIds(due.id(), cursor.id()) > 0))
                        .limit(OwnerReads.SCAN_MAX)
                        .toList();
                rows += page.size();
                lanes.read(new Page(cursor, page, NOON), blocked, id -> false);
            }
            cursors = lanes.toRead(NOON, blocked);
        }
        return rows;
    }

    @Test
    void others_read_on_from_the_bound_they_have_read_to_and_what_is_told_of_late_is_read_all_the_same() {
        List<Due> big = IntStream.range(0, OwnerReads.SCAN_MAX)
                .mapToObj(
                        i -> due(1, Priority.MEDIUM, "a", NOON.minusSeconds(600).plusMillis(i)))
                .toList();
        int lane = Lane.of(Priority.MEDIUM, 1);
        lanes.read(
                new Page(new Cursor(0, lane, Instant.EPOCH, FIRST, null, List.of()), big, NOON), Set.of(), id -> false);
        Instant bound = NOON.plus(Lanes.READ_AHEAD);
        lanes.read(new Page(lanes.toRead(NOON, Set.of()).getFirst(), List.of(), bound), Set.of(), id -> false);
        assertThat(lanes.toRead(NOON, Set.of())).isEmpty();

        lanes.rewind(lane, NOON.plusSeconds(25));
        assertThat(lanes.toRead(NOON, Set.of())).as("not yet").isEmpty();
        assertThat(lanes.toRead(NOON.plusSeconds(25), Set.of())).singleElement().satisfies(others -> {
            assertThat(others.reads(1)).isFalse();
            assertThat(others.at()).isEqualTo(bound);
        });
        // Its transaction was over only now.
        Instant late = NOON.minusSeconds(3);
        lanes.rewind(lane, late);
        assertThat(lanes.toRead(NOON, Set.of())).singleElement().satisfies(others -> {
            assertThat(others.at()).isEqualTo(late);
            assertThat(others.id()).as("with all of that time").isEqualTo(FIRST);
        });
    }

    @Test
    void a_namespace_with_20_000_due_keeps_47_others_with_one_each_for_no_more_than_one_of_its_turns() {
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
                new Page(
                        new Cursor(0, lane, Instant.EPOCH, FIRST, null, List.of()),
                        rows.subList(0, Math.min(1000, rows.size())),
                        NOON),
                Set.of(),
                id -> false));

        var left = new HashSet<Integer>();
        table.values().forEach(rows -> rows.forEach(due -> left.add(due.task().namespace())));
        left.remove(1);
        int batches = 0;
        while (!left.isEmpty()) {
            Batch batch = deal(NOON, Set.of(), 8);
            batch.heads().forEach(due -> {
                lanes.remove(due.id());
                left.remove(due.task().namespace());
            });
            batches++;
        }

        assertThat(batches).isLessThanOrEqualTo(47 + 1);
        assertThat(lanes.size()).isGreaterThan(900);
    }

    @Test
    void others_of_its_lane_are_read_past_a_namespace_with_much_due_which_goes_on_where_it_was() {
        List<Due> big = IntStream.range(0, OwnerReads.SCAN_MAX)
                .mapToObj(
                        i -> due(1, Priority.MEDIUM, "a", NOON.minusSeconds(600).plusMillis(i)))
                .toList();
        int lane = Lane.of(Priority.MEDIUM, 1);
        lanes.read(
                new Page(new Cursor(0, lane, Instant.EPOCH, FIRST, null, List.of()), big, NOON), Set.of(), id -> false);

        Cursor others = lanes.toRead(NOON, Set.of()).getFirst();
        assertThat(lanes.toRead(NOON, Set.of())).as("who has enough waits").hasSize(1);
        assertThat(others.reads(1)).isFalse();
        assertThat(others.reads(17)).isTrue();
        lanes.read(new Page(others, List.of(due(17, Priority.MEDIUM, "a", NOON)), NOON), Set.of(), id -> false);
        next(NOON).heads().forEach(due -> lanes.remove(due.id()));
        assertThat(next(NOON).key().namespace()).as("it has its turn").isEqualTo(17);

        big.forEach(due -> lanes.remove(due.id()));
        assertThat(lanes.toRead(NOON, Set.of())).singleElement().satisfies(again -> {
            assertThat(again.only()).isEqualTo(1);
            assertThat(again.at()).isEqualTo(big.getLast().dueAt());
        });
        lanes.read(new Page(lanes.toRead(NOON, Set.of()).getFirst(), List.of(), NOON), Set.of(), id -> false);
        lanes.rewind(lane, NOON);
        assertThat(lanes.toRead(NOON, Set.of()))
                .as("one cursor is enough again")
                .singleElement()
                .satisfies(
                        again -> assertThat(again.reads(1) && again.reads(17)).isTrue());
    }

    @Test
    void what_was_left_in_the_table_is_read_from_before_it_in_the_order_of_the_database() {
        var full = new WorkerNeed(1, "full", null);
        List<Due> rows = new ArrayList<>(IntStream.range(0, Lanes.BLOCKED_MAX - 1)
                .mapToObj(i -> due(Priority.MEDIUM, "full", NOON.minusSeconds(600 - i)))
                .toList());
        TaskFacts task = rows.getFirst().task();
        // In Java's own order the second one comes first.
        Due first = due(new UUID(1, 1), task, Priority.MEDIUM, NOON);
        Due second = due(new UUID(-1, 1), task, Priority.MEDIUM, NOON);
        rows.addAll(List.of(second, first));
        rows.sort(Due.ORDER);
        int lane = Lane.of(Priority.MEDIUM, 1);
        lanes.read(
                new Page(new Cursor(0, lane, Instant.EPOCH, FIRST, null, List.of()), rows, NOON),
                Set.of(full),
                id -> false);
        rows.subList(0, Lanes.BLOCKED_MAX / 2 + 1).forEach(due -> lanes.remove(due.id()));

        Due left = lanes.remove(first.id()).isPresent() ? second : first;
        assertThat(lanes.toRead(NOON, Set.of()))
                .anySatisfy(cursor -> assertThat(cursor.at().isBefore(left.dueAt())
                                || (cursor.at().equals(left.dueAt())
                                        && cursor.id()
                                                        .toString()
                                                        .compareTo(left.id().toString())
                                                < 0))
                        .isTrue());
    }

    @Test
    void a_namespace_of_weight_three_has_three_times_as_many_turns_while_others_wait() {
        for (int i = 0; i < 400; i++) {
            int namespace = 1 + i % 4;
            int lane = Lane.of(Priority.MEDIUM, namespace);
            Due due = due(namespace, Priority.MEDIUM, "a", NOON);
            var cursor = new Cursor(0, lane, Instant.EPOCH, FIRST, null, List.of());
            lanes.read(new Page(cursor, List.of(due), NOON.plusSeconds(60)), Set.of(), id -> false);
        }

        var had = new HashMap<Integer, Integer>();
        Turns.Round round = turns.begin(lanes.offers(NOON, Set.of()), NOON);
        for (int i = 0; i < 18; i++) {
            Batch batch = round.next(500).orElseThrow();
            batch.heads().forEach(due -> lanes.remove(due.id()));
            round.served(batch, batch.heads().size());
            had.merge(batch.key().namespace(), batch.heads().size(), Integer::sum);
        }

        int turn = Turns.QUANTUM;
        assertThat(had).containsOnly(entry(1, 3 * turn), entry(2, 3 * turn), entry(3, 9 * turn), entry(4, 3 * turn));
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

    @Test
    void of_two_shards_with_room_for_one_at_a_time_it_is_the_turn_of_the_one_that_has_waited_longest() {
        var other = new Lanes(1);
        for (int i = 0; i < 10; i++) {
            read(Priority.MEDIUM, due(Priority.MEDIUM, "a", NOON.plusMillis(i)));
            var cursor = new Cursor(1, Lane.of(Priority.MEDIUM, 1), Instant.EPOCH, FIRST, null, List.of());
            Due due = due(Priority.MEDIUM, "a", NOON.plusMillis(i).plusNanos(1));
            other.read(new Page(cursor, List.of(due), NOON.plusSeconds(60)), Set.of(), id -> false);
        }
        Instant later = NOON.plusSeconds(1);
        var served = new ArrayList<Integer>();
        for (int i = 0; i < 20; i++) {
            var offers = new ArrayList<>(lanes.offers(later, Set.of()));
            offers.addAll(other.offers(later, Set.of()));
            Turns.Round round = turns.begin(offers, later);
            Batch batch = round.next(1).orElseThrow();
            (batch.shard() == 0 ? lanes : other).remove(batch.heads().getFirst().id());
            round.served(batch, 1);
            served.add(batch.shard());
        }

        assertThat(served)
                .containsExactlyElementsOf(
                        IntStream.range(0, 20).mapToObj(i -> i % 2).toList());
    }

    private Batch next(Instant now) {
        return deal(now, Set.of(), 1);
    }

    private Batch deal(Instant now, Set<WorkerNeed> blocked, int atMost) {
        Turns.Round round = turns.begin(lanes.offers(now, blocked), now);
        Batch batch = round.next(atMost).orElseThrow();
        round.served(batch, batch.heads().size());
        return batch;
    }

    private void read(Priority priority, Due due) {
        var cursor = new Cursor(0, Lane.of(priority, 1), Instant.EPOCH, FIRST, null, List.of());
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
        return due(UUID.randomUUID(), task, priority, at);
    }

    private static Due due(UUID id, TaskFacts task, Priority priority, Instant at) {
        return new Due(0, id, Lane.of(priority, task.namespace()), at, at, 0, 0, 0, task, null, 0);
    }
}
