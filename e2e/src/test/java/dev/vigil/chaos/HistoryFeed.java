package dev.vigil.chaos;

import dev.vigil.protocol.audit.EventBatch;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.scheduler.history.Event;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// A run as the history checker reads it: what clients were told, what the audit outbox says of dispatches and ends,
/// and
/// what the database holds when all is over. The outbox is emptied as its events reach the tree, so a trigger of the
/// superuser keeps a copy.
///
/// @param truth the database
/// @param load  who created the tasks
record HistoryFeed(Truth truth, Load load) {
    private static final List<String> STATES = List.of("", "succeeded", "failed", "timed_out", "cancelled", "skipped");

    private static final String ENDED = """
            SELECT h.finished_at, h.task_id, h.id, h.scheduled_for, h.state, h.fence, h.attempt, t.max_attempts, h.losses
              FROM scheduler.history h
              JOIN scheduler.task t ON t.namespace = h.namespace AND t.id = h.task_id AND t.version = h.version
            """;

    /// Keeps a copy of the outbox from now on.
    static void keep(Truth truth) throws SQLException {
        truth.execute("CREATE TABLE chaos.outbox (at timestamptz NOT NULL, events bytea NOT NULL)");
        truth.execute("""
                CREATE FUNCTION chaos.keep() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
                BEGIN
                    INSERT INTO chaos.outbox VALUES (NEW.at, NEW.events);
                    RETURN NULL;
                END $$
                """);
        truth.execute("CREATE TRIGGER chaos_keep AFTER INSERT ON scheduler.outbox"
                + " FOR EACH ROW EXECUTE FUNCTION chaos.keep()");
    }

    /// All that is known of the run.
    List<Event> events() throws SQLException {
        var events = new ArrayList<Event>();
        load.acknowledgements().forEach((task, one) -> events.add(new Event.Acknowledged(one.at(), one.key(), task)));
        Map<UUID, String> keys = load.acknowledged();
        truth.rows(
                "SELECT clock_timestamp(), id FROM scheduler.task WHERE version = 1",
                row -> events.add(new Event.Found(at(row), id(row, 2), keys.get(id(row, 2)))));
        truth.rows(
                "SELECT clock_timestamp(), task_id, id FROM scheduler.execution",
                row -> events.add(new Event.Left(at(row), id(row, 2), id(row, 3))));
        truth.rows(
                ENDED,
                row -> events.add(new Event.Ended(
                        at(row),
                        id(row, 2),
                        id(row, 3),
                        row.getObject(4, OffsetDateTime.class).toInstant(),
                        STATES.get(row.getInt(5)),
                        row.getInt(5) == 1 ? (Long) row.getLong(6) : null,
                        row.getInt(7),
                        row.getInt(8),
                        row.getInt(9))));
        truth.rows("SELECT at, events FROM chaos.outbox", row -> {
            for (byte[] one : EventBatch.split(row.getBytes(2))) {
                Event event = audited(Caller.JSON.readTree(one));
                if (event != null) {
                    events.add(event);
                }
            }
            return true;
        });
        return events;
    }

    private static @Nullable Event audited(JsonNode event) {
        if (!event.path("event_type").asString("").equals("task_execution")
                || event.path("fence").isMissingNode()) {
            return null;
        }
        Instant at = Instant.parse(event.path("timestamp").asString());
        UUID task = uuid(Kind.TASK, event.path("task_id"));
        UUID execution = uuid(Kind.EXECUTION, event.path("execution_id"));
        long fence = event.path("fence").asLong();
        return switch (event.path("action").asString().toLowerCase(Locale.ROOT)) {
            case "dispatch" ->
                new Event.Dispatched(
                        at, task, execution, fence, event.path("attempt").asInt(), null);
            case "execute" -> new Event.Accepted(at, execution, fence);
            default -> null;
        };
    }

    private static UUID uuid(Kind kind, JsonNode id) {
        return Id.parse(kind, id.asString())
                .orElseThrow(() -> new IllegalStateException(id + " in an audit event"))
                .uuid();
    }

    private static Instant at(ResultSet row) throws SQLException {
        return row.getObject(1, OffsetDateTime.class).toInstant();
    }

    private static UUID id(ResultSet row, int column) throws SQLException {
        return row.getObject(column, UUID.class);
    }
}
