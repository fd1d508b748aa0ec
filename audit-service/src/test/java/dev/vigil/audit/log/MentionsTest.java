package dev.vigil.audit.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.audit.log.Mention.Kind;
import dev.vigil.audit.log.Mentions.Row;
import dev.vigil.audit.log.Mentions.Wanted;
import dev.vigil.postgres.Role;
import dev.vigil.protocol.audit.CreateEvent;
import dev.vigil.protocol.audit.CreateEvent.Made;
import dev.vigil.protocol.audit.EventBatch;
import dev.vigil.protocol.audit.ExecutionEvent;
import dev.vigil.protocol.audit.ExecutionEvent.Action;
import dev.vigil.protocol.audit.ExecutionEvent.Subject;
import dev.vigil.protocol.audit.Origin;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.UuidV7;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class MentionsTest {
    private static final long LATEST = Place.micros(Instant.parse("9999-12-31T23:59:59Z"));

    private final Ledger ledger = Ledger.fresh();
    private final Mentions mentions = new Mentions(ledger.connections(Role.AUDIT));

    @Test
    void what_a_task_that_runs_once_did_is_found_by_task_and_by_execution_with_one_row_for_both() throws SQLException {
        UUID once = UuidV7.next();
        UUID often = UuidV7.next();
        UUID execution = UuidV7.next();
        ledger.insertFramed(
                "scheduler", List.of(created(once), start(once, once), created(often), start(often, execution)));
        ledger.writer().step();

        assertThat(found(Kind.TASK, once, true)).containsExactly(0L, 1L);
        assertThat(found(Kind.EXECUTION, once, true)).containsExactly(1L);
        assertThat(found(Kind.TASK, often, true)).containsExactly(2L, 3L);
        assertThat(found(Kind.EXECUTION, execution, true)).containsExactly(3L);
        assertThat(found(Kind.EXECUTION, often, true)).isEmpty();
        assertThat(found(Kind.TASK, execution, true)).isEmpty();
        Row span = mentions.list(wanted(Mention.EVERY, true), null, 1).getFirst();
        assertThat(mentions.in(List.of(span), new Mention(Kind.TASK, once)))
                .containsOnlyKeys(span.span())
                .allSatisfy((_, places) -> assertThat(places).hasSize(2));
        assertThat(ledger.as(Role.AUDIT)
                        .sql("SELECT count(*) FROM audit.mention WHERE key = :once")
                        .param("once", once)
                        .query(Long.class)
                        .single())
                .isEqualTo(2);
    }

    @Test
    void pages_of_one_row_pass_over_no_event_in_either_order() throws SQLException {
        UUID once = UuidV7.next();
        LogWriter writer = ledger.writer();
        for (List<byte[]> step : List.of(
                List.of(created(once)),
                List.of(start(once, once)),
                List.of(created(once), start(once, once)),
                List.of(start(once, once)),
                List.of(created(once)))) {
            ledger.insertFramed("scheduler", step);
            writer.step();
        }

        assertThat(found(Kind.TASK, once, false)).containsExactly(0L, 1L, 2L, 3L, 4L, 5L);
        assertThat(found(Kind.TASK, once, true)).containsExactlyInAnyOrder(0L, 1L, 2L, 3L, 4L, 5L);
        assertThat(found(Kind.EXECUTION, once, false)).containsExactly(1L, 3L, 4L);
    }

    /// Indexes in the log, read in pages of one row.
    private List<Long> found(Kind kind, UUID key, boolean newestFirst) {
        var found = new ArrayList<Long>();
        @Nullable Row after = null;
        for (List<Row> page = page(kind, key, newestFirst, after);
                !page.isEmpty();
                page = page(kind, key, newestFirst, after)) {
            assertThat(page).hasSize(1);
            after = page.getFirst();
            after.places().forEach(place -> found.add(place.seq()));
        }
        return found;
    }

    private List<Row> page(Kind kind, UUID key, boolean newestFirst, @Nullable Row after) {
        return mentions.list(wanted(new Mention(kind, key), newestFirst), after, 1);
    }

    private static Wanted wanted(Mention mention, boolean newestFirst) {
        return new Wanted(mention, 0, LATEST, newestFirst);
    }

    private static byte[] created(UUID task) {
        return EventBatch.frame(CreateEvent.of(
                now(), new Made(1, UuidV7.next(), task, "demo.echo", "one_time"), new Origin("req_1", "127.0.0.1")));
    }

    private static byte[] start(UUID task, UUID execution) {
        return EventBatch.frame(ExecutionEvent.of(
                Action.START, Result.SUCCESS, new Subject(1, UuidV7.next(), task, execution, 1), now()));
    }

    private static Instant now() {
        return InstantSource.system().instant();
    }
}
