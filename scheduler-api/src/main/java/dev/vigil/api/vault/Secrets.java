package dev.vigil.api.vault;

import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.id.UuidV7;
import dev.vigil.protocol.payload.Purpose;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;

/// The table `vault.secret`: values that only a worker reads, and only for a task that names them. Written, never
/// shown. A new version destroys the bytes of the one before.
final class Secrets implements SecretStore {
    /// Longest value in bytes: what fits into a file of the sandbox.
    static final int VALUE_BYTES_MAX = 65_536;

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}");
    private static final int TRIES = 10;

    private final VaultStore store;
    private final RowSealer sealer;

    Secrets(VaultStore store, RowSealer sealer) {
        this.store = store;
        this.sealer = sealer;
    }

    /// What is told of a secret.
    ///
    /// @param version newest version, from 1
    record Secret(
            UUID id,
            int namespace,
            String name,
            int version,
            UUID createdBy,
            Instant createdAt,
            UUID changedBy,
            Instant changedAt) {}

    private record Row(Secret secret, RowSealer.Sealed sealed) {}

    /// Whether a secret may be called that; it is also the name of a file.
    static boolean isName(String name) {
        return NAME.matcher(name).matches();
    }

    /// Stores a value as the newest version of a secret, which is made when there is none.
    Secret put(int namespace, String name, byte[] value, Writing writing) {
        for (int tries = 0; tries < TRIES; tries++) {
            Optional<Secret> old = find(namespace, name);
            int version = old.map(Secret::version).orElse(0) + 1;
            UUID id = old.map(Secret::id).orElseGet(UuidV7::next);
            RowSealer.Sealed sealed = sealer.seal(row(id, namespace, name, version), null, value);
            // Sealing may make a key, which has a transaction of its own; nothing is held meanwhile, so another writer
            // may have been first: then this one comes after him.
            Boolean stored = store.transactions().execute(_ -> {
                RowSealer.Row row = row(id, namespace, name, version);
                boolean mine = version == 1 ? insert(row, sealed, writing.by) : replace(row, sealed, writing.by);
                if (mine) {
                    store.events().append(event(writing, namespace, id, name).with("version", (long) version));
                }
                return mine;
            });
            if (Boolean.TRUE.equals(stored)) {
                return find(namespace, name)
                        .orElseThrow(() -> new VaultException("secret " + name + " was deleted as it was stored"));
            }
        }
        throw new VaultException("secret " + name + " is written by too many at once; try again");
    }

    /// Who writes, and what the audit trail calls it.
    record Writing(UUID by, String action) {}

    private boolean insert(RowSealer.Row row, RowSealer.Sealed sealed, UUID by) {
        return store.db()
                        .sql("""
                        INSERT INTO vault.secret (id, namespace, name, version, key_id, sealed, created_by, changed_by)
                        VALUES (:id, :namespace, :name, 1, :key, :sealed, :by, :by)
                        ON CONFLICT DO NOTHING
                        """)
                        .param("id", row.id())
                        .param("namespace", row.namespace())
                        .param("name", row.name())
                        .param("key", sealed.keyId())
                        .param("sealed", sealed.record())
                        .param("by", by)
                        .update()
                == 1;
    }

    private boolean replace(RowSealer.Row row, RowSealer.Sealed sealed, UUID by) {
        return store.db()
                        .sql("""
                        UPDATE vault.secret
                           SET version = :version, key_id = :key, sealed = :sealed, changed_by = :by,
                               changed_at = clock_timestamp()
                         WHERE id = :id AND version = :version - 1
                        """)
                        .param("id", row.id())
                        .param("version", row.version())
                        .param("key", sealed.keyId())
                        .param("sealed", sealed.record())
                        .param("by", by)
                        .update()
                == 1;
    }

    /// Deletes a secret.
    ///
    /// @return false when there is none
    boolean delete(int namespace, String name, UUID by) {
        return Boolean.TRUE.equals(store.transactions().execute(_ -> {
            Optional<UUID> deleted = store.db()
                    .sql("""
                            DELETE FROM vault.secret
                             WHERE namespace = :namespace AND name = :name
                            RETURNING id
                            """)
                    .param("namespace", namespace)
                    .param("name", name)
                    .query(UUID.class)
                    .optional();
            deleted.ifPresent(
                    id -> store.events().append(event(new Writing(by, "delete_secret"), namespace, id, name)));
            return deleted.isPresent();
        }));
    }

    Optional<Secret> find(int namespace, String name) {
        return load(namespace, name).map(Row::secret);
    }

    /// Secrets of a namespace, newest first.
    ///
    /// @param before the last of the page before; [Workers#NEWEST] for the first page
    List<Secret> list(int namespace, UUID before, int limit) {
        return store
                .db()
                .sql("""
                        SELECT id, namespace, name, version, key_id, sealed, created_by, created_at, changed_by, changed_at
                          FROM vault.secret
                         WHERE namespace = :namespace AND id < :before
                         ORDER BY id DESC
                         LIMIT :limit
                        """)
                .param("namespace", namespace)
                .param("before", before)
                .param("limit", limit)
                .query(Secrets::row)
                .list()
                .stream()
                .map(Row::secret)
                .toList();
    }

    @Override
    public Set<String> known(int namespace, Collection<String> names) {
        return new HashSet<>(store.db()
                .sql("""
                        SELECT name
                          FROM vault.secret
                         WHERE namespace = :namespace AND name = ANY (:names::text[])
                        """)
                .param("namespace", namespace)
                .param("names", names.toArray(String[]::new))
                .query(String.class)
                .list());
    }

    @Override
    public Optional<Value> value(int namespace, String name) {
        return load(namespace, name).flatMap(row -> {
            Secret secret = row.secret;
            return sealer.open(row(secret.id, namespace, name, secret.version), row.sealed)
                    .map(bytes -> new Value(secret.version, bytes));
        });
    }

    private Optional<Row> load(int namespace, String name) {
        return store.db()
                .sql("""
                        SELECT id, namespace, name, version, key_id, sealed, created_by, created_at, changed_by, changed_at
                          FROM vault.secret
                         WHERE namespace = :namespace AND name = :name
                        """)
                .param("namespace", namespace)
                .param("name", name)
                .query(Secrets::row)
                .optional();
    }

    private static Row row(ResultSet row, int number) throws SQLException {
        var secret = new Secret(
                row.getObject("id", UUID.class),
                row.getInt("namespace"),
                row.getString("name"),
                row.getInt("version"),
                row.getObject("created_by", UUID.class),
                row.getObject("created_at", OffsetDateTime.class).toInstant(),
                row.getObject("changed_by", UUID.class),
                row.getObject("changed_at", OffsetDateTime.class).toInstant());
        return new Row(secret, new RowSealer.Sealed(row.getObject("key_id", UUID.class), row.getBytes("sealed")));
    }

    private static RowSealer.Row row(UUID id, int namespace, String name, int version) {
        return new RowSealer.Row(Purpose.SECRET, namespace, id, version, name);
    }

    private AuditEvent event(Writing writing, int namespace, UUID id, String name) {
        return store.events()
                .event(EventType.CONFIGURATION_CHANGED, writing.action, Result.SUCCESS)
                .user(writing.by)
                .namespace(namespace)
                .with("secret_id", new Id(Kind.SECRET, id).toString())
                .with("secret", name);
    }
}
