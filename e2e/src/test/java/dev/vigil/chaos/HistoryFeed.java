package dev.vigil.chaos;

import dev.vigil.protocol.audit.EventBatch;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.scheduler.history.Event;
import java.io.IOException;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// A run as the history checker reads it: what clients were told, what the audit outbox says of dispatches and
/// ends, and what the database holds when all is over. The outbox is emptied as its events reach the tree, so a
/// trigger of the superuser keeps a copy.
///
/// @param fleet  the database, and the workers, who wrote down what they ran
/// @param load   who created the tasks
/// @param faults what was done to them
record HistoryFeed(Fleet fleet, Load load, List<Event.Fault> faults) {
    private static final List<String> STATES = List.of("", "succeeded", "failed", "timed_out", "cancelled", "skipped");

    private static final String ENDED = """
            SELECT h.finished_at, h.task_id, h.id, h.scheduled_for, h.state, h.fence, h.attempt, t.max_attempts, h.losses
              FROM scheduler.history h
              JOIN scheduler.task t ON t.namespace = h.namespace AND t.id = h.task_id AND t.version = h.version
            """;

    /// Each occurrence that ran: its own start, not before it was due. A schedule's is stored a second ahead.
    private static final String OCCURRENCES = """
            SELECT greatest(first.created_at, h.scheduled_for - interval '1 second'), h.task_id, h.id, h.scheduled_for
              FROM scheduler.history h
              JOIN scheduler.task first ON first.namespace = h.namespace AND first.id = h.task_id AND first.version = 1
             WHERE h.state = 1
            """;

    /// How long after its failure an attempt of the load is tried again, less what a core's reading of the database's
    /// clock may be ahead.
    private static final Duration AGAIN = Load.RETRY.minusMillis(50);

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
    List<Event> events() throws IOException, SQLException {
        Truth truth = fleet.truth();
        var events = new ArrayList<Event>();
        load.acknowledgements().forEach((task, one) -> events.add(new Event.Acknowledged(one.at(), one.key(), task)));
        Map<UUID, String> keys = load.acknowledged();
        truth.rows(
                "SELECT clock_timestamp(), id FROM scheduler.task WHERE version = 1",
                row -> events.add(new Event.Found(at(row), id(row, 2), keys.get(id(row, 2)))));
        var ended = new HashSet<UUID>();
        truth.rows(
                ENDED,
                row -> ended.add(id(row, 3))
                        && events.add(new Event.Ended(
                                at(row),
                                id(row, 2),
                                id(row, 3),
                                row.getObject(4, OffsetDateTime.class).toInstant(),
                                STATES.get(row.getInt(5)),
                                row.getInt(5) == 1 ? (Long) row.getLong(6) : null,
                                row.getInt(7),
                                row.getInt(8),
                                row.getInt(9))));
        // After the ends: schedules go on, and what ends between two questions is not open as well.
        truth.rows(
                "SELECT clock_timestamp(), task_id, id FROM scheduler.execution",
                row -> events.add(new Event.Left(at(row), id(row, 2), id(row, 3))));
        truth.rows("SELECT at, events FROM chaos.outbox", row -> {
            for (byte[] one : EventBatch.split(row.getBytes(2))) {
                Event event = audited(Caller.JSON.readTree(one));
                if (event != null) {
                    events.add(event);
                }
                events.addAll(again(Caller.JSON.readTree(one)));
            }
            return true;
        });
        events.addAll(faults);
        Instant end = Instant.now();
        truth.rows(OCCURRENCES, row -> {
            // What has ended since it was asked for the ends is not known well enough.
            if (!ended.contains(id(row, 3))) {
                return false;
            }
            Instant dueAt = row.getObject(4, OffsetDateTime.class).toInstant();
            events.add(new Event.Due(at(row), id(row, 3), dueAt));
            return events.add(new Event.Expected(dueAt.isBefore(at(row)) ? at(row) : dueAt, id(row, 2), end));
        });
        // Last, so that whatever the database says to have run has been written down.
        fleet.runs().forEach(worker -> events.addAll(worker.events()));
        return events;
    }

    /// The load's own failures are tried again after a time that is known. A core's time may be behind by a little, so
    /// the new due time is told of between the two attempts.
    private static List<Event> again(JsonNode event) {
        if (!event.path("code").asString("").equals("asked_to_fail")
                || !event.path("state").asString("").equals("waiting")) {
            return List.of();
        }
        Instant at = Instant.parse(event.path("timestamp").asString());
        UUID execution = uuid(Kind.EXECUTION, event.path("execution_id"));
        Instant notBefore = at.plus(AGAIN);
        return List.of(
                new Event.Again(at, execution, event.path("attempt").asInt(), notBefore),
                new Event.Due(at.plus(AGAIN.dividedBy(2)), execution, notBefore));
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
