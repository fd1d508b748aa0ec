package dev.vigil.api.web;

/// What the vault does for calls that are remembered. The purpose names table, column and row: what is made for one
/// purpose is refused for any other.
public interface KeyBox {
    /// HMAC-SHA256 under a key of the vault.
    byte[] mac(String purpose, byte[] data);

    /// Seals a small secret.
    byte[] wrap(String purpose, byte[] secret);

    /// Opens what [#wrap] sealed for the same purpose.
    byte[] unwrap(String purpose, byte[] wrapped);
}
