package dev.vigil.protocol.link;

/// Sees every (key, nonce) pair just before it is used for sealing. For tests that no pair is ever used twice; in
/// production [#NONE].
@FunctionalInterface
public interface NonceWitness {
    NonceWitness NONE = (keyHash, nonce) -> {};

    /// A frame is about to be sealed.
    ///
    /// @param keyHash SHA-256 of the key, in hexadecimal; computed only when somebody looks
    void sealing(String keyHash, long nonce);
}
