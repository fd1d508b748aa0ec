package dev.vigil.api.vault;

import java.security.MessageDigest;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import tools.jackson.databind.json.JsonMapper;

/// The table `vault.worker`. Every row carries a seal under a vault key, checked whenever it is read: a worker written
/// by SQL is refused.
final class Workers {
    /// An id above all.
    static final UUID NEWEST = new UUID(-1, -1);

    private static final String PURPOSE = "vault.worker";
    private static final String SELECT = """
            SELECT id, name, worker_group, labels, hosts, namespaces, state, generation, key_hash, certificate,
                   blocked_reason, join_token, enrolled_at, removed_at IS NOT NULL AS removed, mac
              FROM vault.worker
            """;

    private final VaultStore store;
    private final VaultKeys keys;

    Workers(VaultStore store, VaultKeys keys) {
        this.store = store;
        this.keys = keys;
    }

    /// One row, a removed one too; empty when there is none or its seal is broken.
    Optional<WorkerRow> find(UUID id) {
        return query(SELECT + "WHERE id = :id", Map.of("id", id)).stream().findFirst();
    }

    /// The same, held against others until the transaction ends.
    Optional<WorkerRow> hold(UUID id) {
        return query(SELECT + "WHERE id = :id FOR UPDATE", Map.of("id", id)).stream()
                .findFirst();
    }

    /// Workers that are not removed, newest first, services left out.
    ///
    /// @param before the last of the page before; [#NEWEST] for the first page
    List<WorkerRow> list(UUID before, int limit) {
        return query(SELECT + """
                        WHERE removed_at IS NULL AND worker_group NOT LIKE 'service:%' AND id < :before
                        ORDER BY id DESC
                        LIMIT :limit
                        """, Map.of("before", before, "limit", limit));
    }

    void insert(WorkerRow row) {
        write("""
                INSERT INTO vault.worker (id, name, worker_group, labels, hosts, namespaces, state, generation, key_hash,
                                          certificate, blocked_reason, join_token, mac)
                VALUES (:id, :name, :group, :labels::jsonb, :hosts, :namespaces, :state, :generation, :keyHash,
                        :certificate, :reason, :joinToken, :mac)
                """, row);
    }

    /// Writes the parts of a row that change, and seals it anew. The caller holds the row.
    void update(WorkerRow row) {
        write("""
                UPDATE vault.worker
                   SET state = :state, generation = :generation, key_hash = :keyHash, certificate = :certificate,
                       blocked_reason = :reason, mac = :mac, changed_at = clock_timestamp(),
                       removed_at = CASE WHEN :removed THEN coalesce(removed_at, clock_timestamp()) END
                 WHERE id = :id
                """, row);
    }

    private void write(String sql, WorkerRow row) {
        store.db()
                .sql(sql)
                .param("id", row.id())
                .param("name", row.name())
                .param("group", row.group())
                .param("labels", JsonMapper.shared().writeValueAsString(row.labels()))
                .param("hosts", row.hosts().toArray(String[]::new))
                .param(
                        "namespaces",
                        row.namespaces() == null ? null : row.namespaces().toArray(Integer[]::new),
                        Types.ARRAY)
                .param("state", row.state().label())
                .param("generation", row.generation())
                .param("keyHash", row.keyHash())
                .param("certificate", row.certificate())
                .param("reason", row.blockedReason(), Types.VARCHAR)
                .param("joinToken", row.joinToken())
                .param("removed", row.removed())
                .param("mac", keys.mac(PURPOSE, row.sealed()))
                .update();
    }

    private List<WorkerRow> query(String sql, Map<String, ?> parameters) {
        return store.db().sql(sql).params(parameters).query((row, _) -> checked(row)).list().stream()
                .flatMap(Optional::stream)
                .toList();
    }

    private Optional<WorkerRow> checked(ResultSet row) throws SQLException {
        var worker = new WorkerRow(
                row.getObject("id", UUID.class),
                row.getString("name"),
                row.getString("worker_group"),
                Rows.labels(row.getString("labels")),
                Rows.texts(row, "hosts"),
                Rows.numbers(row, "namespaces"),
                WorkerRow.State.valueOf(row.getString("state").toUpperCase(Locale.ROOT)),
                row.getInt("generation"),
                row.getBytes("key_hash"),
                row.getBytes("certificate"),
                row.getString("blocked_reason"),
                row.getObject("join_token", UUID.class),
                row.getObject("enrolled_at", OffsetDateTime.class).toInstant(),
                row.getBoolean("removed"));
        if (MessageDigest.isEqual(keys.mac(PURPOSE, worker.sealed()), row.getBytes("mac"))) {
            return Optional.of(worker);
        }
        store.events().brokenRow("vault.worker", worker.publicId());
        return Optional.empty();
    }
}
