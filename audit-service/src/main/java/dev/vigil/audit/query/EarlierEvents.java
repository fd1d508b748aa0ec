package dev.vigil.audit.query;

import dev.vigil.audit.log.Place;
import java.sql.Types;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// Reads the table `audit.event`: where in the log an event is found that was listed before directories were
/// packed, a row an event. Nothing is added to it any more.
///
/// Its connections must plan each statement for its values (`plan_cache_mode=force_custom_plan`): then a filter that is
/// null vanishes from the plan, and the index of the others serves.
final class EarlierEvents {
    private final JdbcClient db;

    EarlierEvents(JdbcClient db) {
        this.db = db;
    }

    /// Where the event with that id stands.
    Optional<Long> find(UUID id) {
        return db.sql("SELECT seq FROM audit.event WHERE id = :id")
                .param("id", id)
                .query(Long.class)
                .optional();
    }

    /// A page of places, and one more when there is more.
    List<Place> list(EventFilter filter) {
        return filter.page().newestFirst() ? newestFirst(filter) : oldestFirst(filter);
    }

    private List<Place> newestFirst(EventFilter filter) {
        return rows(filter, db.sql("""
                        SELECT seq, (extract(epoch FROM at) * 1000000)::bigint AS micros
                          FROM audit.event
                         WHERE (CAST(:from AS timestamptz) IS NULL OR at >= :from)
                           AND (CAST(:to AS timestamptz) IS NULL OR at < :to)
                           AND (CAST(:event_type AS text) IS NULL OR event_type = :event_type)
                           AND (CAST(:action AS text) IS NULL OR action = :action)
                           AND (CAST(:result AS text) IS NULL OR result = :result)
                           AND (CAST(:user AS uuid) IS NULL OR user_id = CAST(:user AS uuid))
                           AND (CAST(:task AS uuid) IS NULL OR task_id = CAST(:task AS uuid))
                           AND (CAST(:execution AS uuid) IS NULL OR execution_id = CAST(:execution AS uuid))
                           AND (CAST(:worker AS uuid) IS NULL OR worker_id = CAST(:worker AS uuid))
                           AND (CAST(:subject AS text) IS NULL OR subject = :subject)
                           AND (CAST(:after_at AS timestamptz) IS NULL OR (at, seq) < (:after_at, :after_seq))
                         ORDER BY at DESC, seq DESC
                         LIMIT :limit
                        """));
    }

    private List<Place> oldestFirst(EventFilter filter) {
        return rows(filter, db.sql("""
                        SELECT seq, (extract(epoch FROM at) * 1000000)::bigint AS micros
                          FROM audit.event
                         WHERE (CAST(:from AS timestamptz) IS NULL OR at >= :from)
                           AND (CAST(:to AS timestamptz) IS NULL OR at < :to)
                           AND (CAST(:event_type AS text) IS NULL OR event_type = :event_type)
                           AND (CAST(:action AS text) IS NULL OR action = :action)
                           AND (CAST(:result AS text) IS NULL OR result = :result)
                           AND (CAST(:user AS uuid) IS NULL OR user_id = CAST(:user AS uuid))
                           AND (CAST(:task AS uuid) IS NULL OR task_id = CAST(:task AS uuid))
                           AND (CAST(:execution AS uuid) IS NULL OR execution_id = CAST(:execution AS uuid))
                           AND (CAST(:worker AS uuid) IS NULL OR worker_id = CAST(:worker AS uuid))
                           AND (CAST(:subject AS text) IS NULL OR subject = :subject)
                           AND (CAST(:after_at AS timestamptz) IS NULL OR (at, seq) > (:after_at, :after_seq))
                         ORDER BY at, seq
                         LIMIT :limit
                        """));
    }

    private static List<Place> rows(EventFilter filter, JdbcClient.StatementSpec statement) {
        Place after = filter.page().after();
        return statement
                .param("from", time(filter.from()), Types.TIMESTAMP_WITH_TIMEZONE)
                .param("to", time(filter.to()), Types.TIMESTAMP_WITH_TIMEZONE)
                .param("event_type", filter.eventType(), Types.VARCHAR)
                .param("action", filter.action(), Types.VARCHAR)
                .param("result", filter.result(), Types.VARCHAR)
                .param("user", filter.about().user(), Types.OTHER)
                .param("task", filter.about().task(), Types.OTHER)
                .param("execution", filter.about().execution(), Types.OTHER)
                .param("worker", filter.about().worker(), Types.OTHER)
                .param("subject", filter.about().subject(), Types.VARCHAR)
                .param("after_at", after == null ? null : time(instant(after)), Types.TIMESTAMP_WITH_TIMEZONE)
                .param("after_seq", after == null ? null : after.seq(), Types.BIGINT)
                .param("limit", filter.page().limit() + 1)
                .query((row, number) -> new Place(row.getLong("micros"), row.getLong("seq")))
                .list();
    }

    private static Instant instant(Place place) {
        return Instant.EPOCH.plusSeconds(place.atMicros() / 1_000_000).plusNanos(place.atMicros() % 1_000_000 * 1_000);
    }

    private static @Nullable OffsetDateTime time(@Nullable Instant instant) {
        return instant == null ? null : instant.atOffset(ZoneOffset.UTC);
    }
}
