package dev.vigil.api.access;

import dev.vigil.api.vault.VaultKeys;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/// Signs the rows that confer power and tells a signed row from one that SQL wrote. Such a row is as good as none, and
/// is on record.
final class RowSigner {
    private static final String PRINCIPAL = "access.principal";
    private static final String CLIENT = "access.client";
    private static final String API_KEY = "access.api_key";
    private static final String NAMESPACE = "access.namespace";

    private final VaultKeys keys;
    private final CallLog log;

    RowSigner(VaultKeys keys, CallLog log) {
        this.keys = keys;
        this.log = log;
    }

    void sign(User user) {
        user.mac = keys.mac(PRINCIPAL, user.powers());
    }

    void sign(Client client) {
        client.mac = keys.mac(CLIENT, client.powers());
    }

    byte[] sign(ApiKey key) {
        return keys.mac(API_KEY, key.powers());
    }

    byte[] sign(Namespace namespace) {
        return keys.mac(NAMESPACE, namespace.powers());
    }

    boolean signed(User user) {
        return check(PRINCIPAL, user.id.toString(), user.powers(), user.mac);
    }

    boolean signed(Client client) {
        return check(CLIENT, client.clientId, client.powers(), client.mac);
    }

    boolean signed(ApiKey key, byte[] mac) {
        return check(API_KEY, key.id().toString(), key.powers(), mac);
    }

    boolean signed(Namespace namespace) {
        byte[] mac = namespace.mac == null ? new byte[0] : namespace.mac;
        return check(NAMESPACE, namespace.name, namespace.powers(), mac);
    }

    private boolean check(String table, String id, byte[] powers, byte[] mac) {
        boolean right = MessageDigest.isEqual(mac, keys.mac(table, powers));
        if (!right) {
            log.brokenRow(table + "/" + id);
        }
        return right;
    }

    /// The parts of a row as bytes: length-prefixed, so that no two rows share theirs; null differs from an empty text.
    static byte[] bytes(@Nullable Object... parts) {
        var out = new ByteArrayOutputStream(256);
        for (Object part : parts) {
            byte[] bytes = part == null ? new byte[0] : part.toString().getBytes(StandardCharsets.UTF_8);
            out.writeBytes((part == null ? "-" : Integer.toString(bytes.length)).getBytes(StandardCharsets.US_ASCII));
            out.write(':');
            out.writeBytes(bytes);
        }
        return out.toByteArray();
    }
}
