package dev.vigil.audit.log;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.postgres.Role;
import dev.vigil.protocol.audit.EventBatch;
import dev.vigil.protocol.audit.ExecutionEvent;
import dev.vigil.protocol.audit.ExecutionEvent.Action;
import dev.vigil.protocol.audit.ExecutionEvent.Subject;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.UuidV7;
import dev.vigil.protocol.tree.Tile;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;

class EntriesTest {
    private final Ledger ledger = Ledger.fresh();

    @Test
    void events_that_the_engine_packed_are_stored_packed_and_read_as_what_the_tree_has() throws SQLException {
        List<byte[]> frames = IntStream.range(0, 300)
                .mapToObj(i -> i % 3 == 0
                        ? EventBatch.frame(Ledger.events(1).getFirst())
                        : EventBatch.frame(ExecutionEvent.of(
                                Action.START,
                                Result.SUCCESS,
                                new Subject(1, UuidV7.next(), UuidV7.next(), UuidV7.next(), i),
                                Instant.EPOCH)))
                .toList();
        List<String> expected = frames.stream()
                .map(frame -> new String(EventBatch.Entry.of(frame).bytes(), UTF_8))
                .toList();
        LogWriter writer = ledger.writer();
        ledger.insertFramed("scheduler", frames.subList(0, 250));
        writer.step();
        ledger.insertFramed("scheduler", frames.subList(250, 300));
        writer.step();

        assertThat(LogReading.checkedEntries(ledger)).isEqualTo(expected);
        JdbcClient db = ledger.as(Role.AUDIT);
        Map<Long, byte[]> single = new Entries(db).at(List.of(299L, 0L, 1L, 255L, 256L, 300L));
        assertThat(single.keySet()).containsExactly(299L, 0L, 1L, 255L, 256L);
        single.forEach(
                (index, entry) -> assertThat(new String(entry, UTF_8)).isEqualTo(expected.get(index.intValue())));
        assertThat(db.sql("SELECT count(*) FROM audit.entry_part WHERE entries IS NULL AND framed IS NOT NULL")
                        .query(Long.class)
                        .single())
                .isEqualTo(3);
    }

    @Test
    void a_part_that_somebody_destroyed_makes_its_bundle_incomplete_and_not_the_service_fail() throws SQLException {
        ExecutionEvent event = ExecutionEvent.of(
                Action.START,
                Result.SUCCESS,
                new Subject(1, UuidV7.next(), UuidV7.next(), UuidV7.next(), 1),
                Instant.EPOCH);
        ledger.insertFramed("scheduler", List.of(EventBatch.frame(event)));
        ledger.writer().step();
        Tile only = Tile.in(1, Tile.ENTRIES, 0).orElseThrow();
        Entries entries = new Entries(ledger.as(Role.AUDIT));
        assertThat(entries.bundle(only)).isPresent();

        for (String destroyed : List.of("set_byte(framed, 4, 100)", "substring(framed FOR 20)")) {
            ledger.as(Role.OWNER).sql("""
                            ALTER TABLE audit.entry_part DISABLE TRIGGER append_only;
                            UPDATE audit.entry_part SET framed = %s
                            """.formatted(destroyed)).update();
            assertThat(entries.bundle(only)).as(destroyed).isEmpty();
            assertThat(entries.at(List.of(0L))).as(destroyed).isEmpty();
        }
    }
}
