package dev.vigil.api.vault;

/// What holds the root key: a file here; a key service speaks the same words. It wraps a few dozen keys and is never
/// asked per payload.
interface KeyWrapper {
    /// A name of the root key that says nothing about it. It stands beside every wrapped key, so a wrong root key is
    /// recognised before it is tried.
    String rootKey();

    /// Wraps a key of at most 4 KiB.
    ///
    /// @param context what the key is for; must be the same to unwrap
    byte[] wrap(byte[] key, byte[] context);

    /// Unwraps what [#wrap] made.
    ///
    /// @throws VaultException when the bytes were changed or belong to another context or root key
    byte[] unwrap(byte[] wrapped, byte[] context);
}
