package dev.vigil.gdpr.request;

import dev.vigil.gdpr.request.SubjectRequest.Act;
import dev.vigil.gdpr.request.SubjectRequest.Extension;
import dev.vigil.gdpr.request.SubjectRequest.Kinds;
import dev.vigil.gdpr.request.SubjectRequest.Outcome;
import dev.vigil.gdpr.request.SubjectRequest.State;
import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The table `gdpr.request`.
final class Requests {
    private static final String SELECT = """
            SELECT id, kind, state, namespace, everywhere, reason, indexes, requested_by, requested_at, due_at,
                   approved_by, approved_at, ended_at, detail, tasks, executions, events, complete, produced_at,
                   expires_at, extended_by, extended_at, extension_reason
              FROM gdpr.request
            """;

    private final JdbcClient db;

    Requests(JdbcClient db) {
        this.db = db;
    }

    void insert(SubjectRequest request) {
        db.sql("""
                        INSERT INTO gdpr.request
                               (id, kind, state, namespace, everywhere, reason, indexes, requested_by, requested_at, due_at)
                        VALUES (:id, :kind, :state, :namespace, :everywhere, :reason, :indexes, :by, :at, :due)
                        """)
                .param("id", request.id())
                .param("kind", request.kind().label())
                .param("state", request.state().label())
                .param("namespace", request.namespace())
                .param("everywhere", request.everywhere())
                .param("reason", request.reason())
                .param("indexes", request.indexes().toArray(String[]::new))
                .param("by", request.requested().by())
                .param("at", at(request.requested().at()))
                .param("due", at(request.dueAt()))
                .update();
    }

    Optional<SubjectRequest> find(UUID id) {
        return db.sql(SELECT + "WHERE id = :id")
                .param("id", id)
                .query(Requests::row)
                .optional();
    }

    /// What a list shows.
    ///
    /// @param namespace null for all namespaces
    /// @param kind      null for both
    /// @param state     null for every one
    /// @param before    the last id of the page before; null for the first page
    record Filter(
            @Nullable Integer namespace,
            @Nullable String kind,
            @Nullable String state,
            @Nullable UUID before) {}

    /// Requests that pass a filter, newest first.
    List<SubjectRequest> list(Filter filter, int limit) {
        return db.sql(SELECT + """
                        WHERE (:namespace::int IS NULL OR namespace = :namespace)
                          AND (:kind::text IS NULL OR kind = :kind)
                          AND (:state::text IS NULL OR state = :state)
                          AND (:before::uuid IS NULL OR id < :before::uuid)
                        ORDER BY id DESC
                        LIMIT :limit
                        """)
                .param("namespace", filter.namespace(), Types.INTEGER)
                .param("kind", filter.kind(), Types.VARCHAR)
                .param("state", filter.state(), Types.VARCHAR)
                .param("before", filter.before(), Types.OTHER)
                .param("limit", limit)
                .query(Requests::row)
                .list();
    }

    /// Lets an erasure run that waits for approval; false when it does not wait.
    boolean approve(UUID id, Act act) {
        return db.sql("""
                        UPDATE gdpr.request
                           SET state = 'running', approved_by = :by, approved_at = :at
                         WHERE id = :id AND state = 'awaiting_approval'
                        """)
                        .param("id", id)
                        .param("by", act.by())
                        .param("at", at(act.at()))
                        .update()
                == 1;
    }

    /// Ends a request that was not carried out; false when it has ended or waits no more.
    boolean reject(UUID id, State from, Instant now, String detail) {
        return db.sql("""
                        UPDATE gdpr.request
                           SET state = 'rejected', ended_at = :at, detail = :detail
                         WHERE id = :id AND state = :from
                        """)
                        .param("id", id)
                        .param("from", from.label())
                        .param("at", at(now))
                        .param("detail", detail)
                        .update()
                == 1;
    }

    /// Moves the day a request is due, once; false when it has ended or was extended before.
    boolean extend(UUID id, Instant due, Extension extension) {
        return db.sql("""
                        UPDATE gdpr.request
                           SET due_at = :due, extended_by = :by, extended_at = :at, extension_reason = :reason
                         WHERE id = :id AND extended_at IS NULL AND state NOT IN ('rejected', 'partial', 'done')
                        """)
                        .param("id", id)
                        .param("due", at(due))
                        .param("by", extension.act().by())
                        .param("at", at(extension.act().at()))
                        .param("reason", extension.reason())
                        .update()
                == 1;
    }

    /// Ids of the requests about one of these blind indexes, newest first.
    List<UUID> about(List<String> indexes, int limit) {
        return db.sql("""
                        SELECT id
                          FROM gdpr.request
                         WHERE indexes && :indexes::text[]
                         ORDER BY id DESC
                         LIMIT :limit
                        """)
                .param("indexes", indexes.toArray(String[]::new))
                .param("limit", limit)
                .query(UUID.class)
                .list();
    }

    /// Takes a running request that nobody works on, for so long.
    Optional<SubjectRequest> take(Duration hold) {
        return db.sql("""
                        UPDATE gdpr.request
                           SET busy_until = clock_timestamp() + :millis * interval '1 millisecond'
                         WHERE id = (SELECT id FROM gdpr.request
                                      WHERE state = 'running' AND busy_until < clock_timestamp()
                                      ORDER BY busy_until, id
                                      LIMIT 1
                                        FOR UPDATE SKIP LOCKED)
                        RETURNING id, kind, state, namespace, everywhere, reason, indexes, requested_by, requested_at,
                                  due_at, approved_by, approved_at, ended_at, detail, tasks, executions, events,
                                  complete, produced_at, expires_at, extended_by, extended_at, extension_reason
                        """).param("millis", hold.toMillis()).query(Requests::row).optional();
    }

    /// Goes on holding it, for so long from now.
    void hold(UUID id, Duration hold) {
        db.sql("""
                        UPDATE gdpr.request
                           SET busy_until = clock_timestamp() + :millis * interval '1 millisecond'
                         WHERE id = :id AND state = 'running'
                        """).param("id", id).param("millis", hold.toMillis()).update();
    }

    /// Gives it back, to be taken again after a while.
    void giveBack(UUID id, Duration after, @Nullable String detail) {
        db.sql("""
                        UPDATE gdpr.request
                           SET busy_until = clock_timestamp() + :millis * interval '1 millisecond', detail = :detail
                         WHERE id = :id AND state = 'running'
                        """)
                .param("id", id)
                .param("millis", after.toMillis())
                .param("detail", detail, Types.VARCHAR)
                .update();
    }

    /// Notes what a request brought: its export or certificate is stored in the same transaction.
    void produced(UUID id, Outcome outcome, @Nullable Instant expiresAt) {
        db.sql("""
                        UPDATE gdpr.request
                           SET tasks = :tasks, executions = :executions, events = :events, complete = :complete,
                               produced_at = clock_timestamp(), expires_at = :expires, detail = NULL
                         WHERE id = :id AND state = 'running'
                        """)
                .param("id", id)
                .param("tasks", Objects.requireNonNull(outcome.tasks()))
                .param("executions", Objects.requireNonNull(outcome.executions()))
                .param("events", outcome.events().toArray(UUID[]::new))
                .param("complete", outcome.complete())
                .param("expires", expiresAt == null ? null : at(expiresAt), Types.TIMESTAMP_WITH_TIMEZONE)
                .update();
    }

    /// Ends a request whose audit events are listed.
    void finish(SubjectRequest request, Instant now) {
        State state = request.outcome().complete() ? State.DONE : State.PARTIAL;
        db.sql("""
                        UPDATE gdpr.request
                           SET state = :state, ended_at = :at, detail = :detail
                         WHERE id = :id AND state = 'running'
                        """)
                .param("id", request.id())
                .param("state", state.label())
                .param("at", at(now))
                .param(
                        "detail",
                        state == State.DONE ? null : "The export was cut at its largest size; its manifest says where.",
                        Types.VARCHAR)
                .update();
    }

    void certify(UUID id, byte[] certificate, byte[] signature) {
        db.sql("""
                        UPDATE gdpr.request
                           SET certificate = :certificate, signature = :signature
                         WHERE id = :id
                        """)
                .param("id", id)
                .param("certificate", certificate)
                .param("signature", signature)
                .update();
    }

    /// A certificate and its signature.
    record Certified(byte[] certificate, byte[] signature) {}

    Optional<Certified> certified(UUID id) {
        return db.sql("""
                        SELECT certificate, signature
                          FROM gdpr.request
                         WHERE id = :id AND certificate IS NOT NULL
                        """)
                .param("id", id)
                .query((row, _) -> new Certified(row.getBytes(1), row.getBytes(2)))
                .optional();
    }

    private static SubjectRequest row(ResultSet row, int number) throws SQLException {
        UUID approvedBy = row.getObject("approved_by", UUID.class);
        Instant approvedAt = instant(row, "approved_at");
        return new SubjectRequest(
                row.getObject("id", UUID.class),
                Kinds.valueOf(row.getString("kind").toUpperCase(Locale.ROOT)),
                State.valueOf(row.getString("state").toUpperCase(Locale.ROOT)),
                row.getInt("namespace"),
                row.getBoolean("everywhere"),
                row.getString("reason"),
                List.of((String[]) array(row, "indexes")),
                new Act(
                        row.getObject("requested_by", UUID.class),
                        Objects.requireNonNull(instant(row, "requested_at"))),
                Objects.requireNonNull(instant(row, "due_at")),
                approvedBy == null || approvedAt == null ? null : new Act(approvedBy, approvedAt),
                instant(row, "ended_at"),
                row.getString("detail"),
                new Outcome(
                        row.getObject("tasks", Integer.class),
                        row.getObject("executions", Integer.class),
                        List.of((UUID[]) array(row, "events")),
                        row.getBoolean("complete"),
                        row.getObject("produced_at") != null),
                instant(row, "expires_at"),
                extension(row));
    }

    private static @Nullable Extension extension(ResultSet row) throws SQLException {
        UUID by = row.getObject("extended_by", UUID.class);
        Instant at = instant(row, "extended_at");
        String reason = row.getString("extension_reason");
        return by == null || at == null || reason == null ? null : new Extension(new Act(by, at), reason);
    }

    private static Object array(ResultSet row, String column) throws SQLException {
        Array array = row.getArray(column);
        return array.getArray();
    }

    private static OffsetDateTime at(Instant instant) {
        return instant.atOffset(ZoneOffset.UTC);
    }

    private static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
        OffsetDateTime at = row.getObject(column, OffsetDateTime.class);
        return at == null ? null : at.toInstant();
    }
}
