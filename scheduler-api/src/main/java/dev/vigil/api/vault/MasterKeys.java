package dev.vigil.api.vault;

import dev.vigil.protocol.id.UuidV7;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The table `vault.master_key`: keys that the root key wraps, by name. Made on first use; a few dozen, kept in memory.
final class MasterKeys {
    private final JdbcClient db;
    private final KeyWrapper root;
    private final Map<String, byte[]> keys = new ConcurrentHashMap<>();

    MasterKeys(JdbcClient db, KeyWrapper root) {
        this.db = db;
        this.root = root;
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
        record Row(UUID id, String rootKey, byte[] wrapped) {}
        return db.sql("""
                        SELECT id, root_key, wrapped
                          FROM vault.master_key
                         WHERE name = :name
                        """)
                .param("name", name)
                .query((row, _) -> new Row(row.getObject(1, UUID.class), row.getString(2), row.getBytes(3)))
                .optional()
                .map(row -> {
                    if (!row.rootKey().equals(root.rootKey())) {
                        throw new VaultException("key " + name + " is wrapped by root key " + row.rootKey()
                                + ", but vigil.vault.root-key-file holds " + root.rootKey()
                                + "; put the right file back: a new one opens nothing that is stored");
                    }
                    return root.unwrap(row.wrapped(), context(row.id(), name));
                });
    }

    private byte[] create(String name) {
        UUID id = UuidV7.next();
        byte[] key = SealedBytes.newKey();
        int created = db.sql("""
                        INSERT INTO vault.master_key (id, name, root_key, wrapped)
                        VALUES (:id, :name, :root, :wrapped)
                        ON CONFLICT (name) DO NOTHING
                        """)
                .param("id", id)
                .param("name", name)
                .param("root", root.rootKey())
                .param("wrapped", root.wrap(key, context(id, name)))
                .update();
        // Another node, or thread, may have been first: then its key is the one.
        return created == 1 ? key : load(name).orElseThrow(() -> new VaultException("key " + name + " disappeared"));
    }

    private static byte[] context(UUID id, String name) {
        return SealedBytes.fields("vigil/master-key/v1", id, name);
    }
}
