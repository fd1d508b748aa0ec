package dev.vigil.api.access;

import dev.vigil.api.vault.VaultKeys;
import java.security.MessageDigest;

/// Signs the rows that confer power and tells a signed row from one that SQL wrote.
final class RowSigner {
    private final VaultKeys keys;

    RowSigner(VaultKeys keys) {
        this.keys = keys;
    }

    void sign(User user) {
        user.mac = keys.mac("access.principal", user.powers());
    }

    void sign(Client client) {
        client.mac = keys.mac("access.client", client.powers());
    }

    boolean signed(User user) {
        return MessageDigest.isEqual(user.mac, keys.mac("access.principal", user.powers()));
    }

    boolean signed(Client client) {
        return MessageDigest.isEqual(client.mac, keys.mac("access.client", client.powers()));
    }
}
