package dev.vigil.api.vault;

import java.security.MessageDigest;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;

/// The table `vault.subject_request`.
final class SubjectRequests {
    private static final String PURPOSE = "vault.subject_request";
    private static final String SELECT = """
            SELECT id, kind, namespace, everywhere, key_id, subject, requested_by, approved_by,
                   closed_at IS NOT NULL AS closed, done_event, mac
              FROM vault.subject_request
            """;

    private final VaultStore store;
    private final VaultKeys keys;

    SubjectRequests(VaultStore store, VaultKeys keys) {
        this.store = store;
        this.keys = keys;
    }

    /// One request; empty when there is none or its seal is broken.
    Optional<SubjectRequest> find(UUID id) {
        return query(SELECT + "WHERE id = :id", id);
    }

    /// The same, held against others until the transaction ends.
    Optional<SubjectRequest> hold(UUID id) {
        return query(SELECT + "WHERE id = :id FOR UPDATE", id);
    }

    /// Stores a new request; false when one of that id was there before.
    boolean insert(SubjectRequest request) {
        return store.db()
                        .sql("""
                                INSERT INTO vault.subject_request
                                       (id, kind, namespace, everywhere, key_id, subject, requested_by, mac)
                                VALUES (:id, :kind, :namespace, :everywhere, :keyId, :subject, :requestedBy, :mac)
                                ON CONFLICT DO NOTHING
                                """)
                        .param("id", request.id())
                        .param("kind", request.kind().label())
                        .param("namespace", request.namespace())
                        .param("everywhere", request.everywhere())
                        .param("keyId", request.keyId())
                        .param("subject", request.subject())
                        .param("requestedBy", request.requestedBy())
                        .param("mac", keys.mac(PURPOSE, request.sealed()))
                        .update()
                == 1;
    }

    /// Writes what changes in a request, and seals it anew. The caller holds the row.
    void update(SubjectRequest request) {
        store.db()
                .sql("""
                        UPDATE vault.subject_request
                           SET approved_by = :approvedBy,
                               approved_at = CASE WHEN :approvedBy::uuid IS NULL THEN NULL
                                                  ELSE coalesce(approved_at, clock_timestamp()) END,
                               closed_at = CASE WHEN :closed THEN coalesce(closed_at, clock_timestamp()) END,
                               done_event = :doneEvent, mac = :mac
                         WHERE id = :id
                        """)
                .param("id", request.id())
                .param("approvedBy", request.approvedBy(), Types.OTHER)
                .param("closed", request.closed())
                .param("doneEvent", request.doneEvent(), Types.OTHER)
                .param("mac", keys.mac(PURPOSE, request.sealed()))
                .update();
    }

    /// Numbers of the namespaces in which anything was ever sealed.
    List<Integer> namespaces() {
        return store.db()
                .sql("SELECT DISTINCT namespace FROM vault.data_key ORDER BY namespace")
                .query(Integer.class)
                .list();
    }

    private Optional<SubjectRequest> query(String sql, UUID id) {
        return store.db().sql(sql).param("id", id).query((row, _) -> checked(row)).list().stream()
                .flatMap(Optional::stream)
                .findFirst();
    }

    private Optional<SubjectRequest> checked(ResultSet row) throws SQLException {
        var request = new SubjectRequest(
                row.getObject("id", UUID.class),
                SubjectRequest.Kind.valueOf(row.getString("kind").toUpperCase(Locale.ROOT)),
                row.getInt("namespace"),
                row.getBoolean("everywhere"),
                row.getObject("key_id", UUID.class),
                row.getBytes("subject"),
                row.getObject("requested_by", UUID.class),
                row.getObject("approved_by", UUID.class),
                row.getBoolean("closed"),
                row.getObject("done_event", UUID.class));
        if (MessageDigest.isEqual(keys.mac(PURPOSE, request.sealed()), row.getBytes("mac"))) {
            return Optional.of(request);
        }
        store.events().brokenRow("vault.subject_request", request.id().toString());
        return Optional.empty();
    }
}
