package dev.vigil.scheduler.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.scheduler.TestDatabase;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ColumnsTest {
    private static final TestDatabase DATABASE = new TestDatabase();

    private record Row(@Nullable UUID id, @Nullable Instant at) {}

    @Test
    void ids_and_times_arrive_as_they_were_sent_to_the_microsecond_and_nothing_stays_nothing() {
        List<Row> rows = List.of(
                new Row(UUID.fromString("ffffffff-ffff-7fff-bfff-ffffffffffff"), Instant.EPOCH),
                new Row(null, Instant.parse("1969-12-31T23:59:59.999999Z")),
                new Row(new UUID(0, 0), null),
                new Row(new UUID(1, 2), Instant.parse("2026-11-22T08:00:00.123456Z")));

        assertThat(stored(rows)).isEqualTo(rows);
    }

    @Test
    void no_rows_are_an_empty_array() {
        assertThat(stored(List.of())).isEmpty();
    }

    private static List<Row> stored(List<Row> rows) {
        return DATABASE.superuser()
                .sql("SELECT id, at FROM unnest(:ids::uuid[], :ats::timestamptz[]) AS v(id, at)")
                .params(new Columns<>(rows)
                        .add("ids", new UUID[0], Row::id)
                        .add("ats", new Instant[0], Row::at)
                        .arrays())
                .query((row, index) -> {
                    OffsetDateTime at = row.getObject("at", OffsetDateTime.class);
                    return new Row(row.getObject("id", UUID.class), at == null ? null : at.toInstant());
                })
                .list();
    }
}
