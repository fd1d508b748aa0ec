package dev.vigil.api.vault;

import dev.vigil.protocol.id.UuidV7;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntConsumer;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/// The table `vault.master_key`: keys that the root key wraps, by name. Made on first use; a few dozen, kept in memory.
final class MasterKeys {
    private final JdbcClient db;
    private final TransactionTemplate transactions;
    private final RootKeys roots;
    private final Map<String, byte[]> keys = new ConcurrentHashMap<>();

    MasterKeys(VaultStore store, RootKeys roots) {
        this.db = store.db();
        this.transactions = new TransactionTemplate(
                Objects.requireNonNull(store.transactions().getTransactionManager()));
        transactions.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
        this.roots = roots;
    }

    /// The key of that name: 32 bytes, not to be changed by the caller.
    byte[] key(String name) {
        byte[] known = keys.get(name);
        if (known != null) {
            return known;
        }
        byte[] key = load(name).orElseGet(() -> create(name));
        byte[] first = keys.putIfAbsent(name, key);
        return first == null ? key : first;
    }

    private Optional<byte[]> load(String name) {
        return db.sql("""
                        SELECT id, name, root_key, wrapped
                          FROM vault.master_key
                         WHERE name = :name
                        """).param("name", name).query(MasterKeys::row).optional().map(this::unwrap);
    }

    private record Row(UUID id, String name, String rootKey, byte[] wrapped) {}

    private static Row row(ResultSet row, int number) throws SQLException {
        return new Row(
                row.getObject("id", UUID.class),
                row.getString("name"),
                row.getString("root_key"),
                row.getBytes("wrapped"));
    }

    private byte[] unwrap(Row row) {
        return roots.named(row.rootKey)
                .orElseThrow(() -> new VaultException("key " + row.name + " is wrapped by root key " + row.rootKey
                        + ", but vigil.vault.root-key-file holds "
                        + roots.current().rootKey()
                        + "; put the right file back: a new one opens nothing that is stored"))
                .unwrap(row.wrapped, context(row.id, row.name));
    }

    /// Wraps every key by another root key, all of them or none.
    ///
    /// @param told is told how many there were, in the same transaction; not at all when there were none
    /// @return how many
    int rewrap(KeyWrapper next, IntConsumer told) {
        int rewrapped = 0;
        for (List<Row> rows = rowsNotUnder(next); !rows.isEmpty(); rows = rowsNotUnder(next)) {
            // Wrapping may be a call to a key service: before the transaction.
            List<Row> anew = rows.stream()
                    .map(row -> new Row(
                            row.id, row.name, next.rootKey(), next.wrap(unwrap(row), context(row.id, row.name))))
                    .toList();
            transactions.executeWithoutResult(_ -> {
                anew.forEach(this::update);
                told.accept(anew.size());
            });
            rewrapped += anew.size();
        }
        return rewrapped;
    }

    private List<Row> rowsNotUnder(KeyWrapper root) {
        return db.sql("""
                        SELECT id, name, root_key, wrapped
                          FROM vault.master_key
                         WHERE root_key <> :root
                         ORDER BY name
                        """).param("root", root.rootKey()).query(MasterKeys::row).list();
    }

    private void update(Row row) {
        db.sql("""
                        UPDATE vault.master_key
                           SET root_key = :root, wrapped = :wrapped
                         WHERE id = :id
                        """)
                .param("root", row.rootKey)
                .param("wrapped", row.wrapped)
                .param("id", row.id)
                .update();
    }

    /// In a transaction of its own: the key is kept in memory, so it must stay when the caller rolls back.
    private byte[] create(String name) {
        UUID id = UuidV7.next();
        byte[] key = SealedBytes.newKey();
        KeyWrapper root = roots.current();
        byte[] wrapped = root.wrap(key, context(id, name));
        Integer created = transactions.execute(_ -> db.sql("""
                        INSERT INTO vault.master_key (id, name, root_key, wrapped)
                        VALUES (:id, :name, :root, :wrapped)
                        ON CONFLICT (name) DO NOTHING
                        """)
                .param("id", id)
                .param("name", name)
                .param("root", root.rootKey())
                .param("wrapped", wrapped)
                .update());
        // Another node, or thread, may have been first: then its key is the one.
        return Objects.equals(created, 1)
                ? key
                : load(name).orElseThrow(() -> new VaultException("key " + name + " disappeared"));
    }

    private static byte[] context(UUID id, String name) {
        return SealedBytes.fields("vigil/master-key/v1", id, name);
    }
}
