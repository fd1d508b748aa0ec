package dev.vigil.api.vault;

import dev.vigil.api.web.KeyBox;

/// Keys for the rest of the API: wraps what it must keep secret in a row, and signs rows that confer power.
///
/// The purpose names table, column and row, such as `access.client/<id>`: what is wrapped or signed for one purpose
/// is refused for any other.
public final class VaultKeys implements KeyBox {
    private final MasterKeys masters;

    VaultKeys(MasterKeys masters) {
        this.masters = masters;
    }

    /// Seals a small secret, such as a private key, for a row.
    @Override
    public byte[] wrap(String purpose, byte[] secret) {
        return SealedBytes.seal(masters.key("box"), SealedBytes.fields(purpose), secret);
    }

    /// Opens what [#wrap] sealed for the same purpose.
    ///
    /// @throws VaultException when the row was changed or moved
    @Override
    public byte[] unwrap(String purpose, byte[] wrapped) {
        return SealedBytes.open(masters.key("box"), SealedBytes.fields(purpose), wrapped)
                .orElseThrow(() -> new VaultException(purpose + " does not unwrap: its row was changed or moved"));
    }

    /// HMAC-SHA256 over data, for rows that confer power and for cursors.
    @Override
    public byte[] mac(String purpose, byte[] data) {
        return SealedBytes.hmac(masters.key("row-mac"), SealedBytes.fields(purpose, data));
    }
}
