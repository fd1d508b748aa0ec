package dev.vigil.api.vault;

import java.util.Optional;

/// The root key and how another one takes its place: files here; a key service speaks the same words.
interface RootKeys {
    /// What wraps from now on. Asked anew each time: another node may have begun a rotation.
    KeyWrapper current();

    /// The root key of that name, as long as it is kept.
    Optional<KeyWrapper> named(String rootKey);

    /// Whether a rotation began and did not end.
    boolean isRotating();

    /// Begins a rotation, or goes on with the one that began: [#current()] is another key afterwards, and the one
    /// before is kept.
    ///
    /// @throws VaultException when there is no key to change to
    KeyWrapper advance();

    /// Ends a rotation: nothing is wrapped by the key before any more. It is set aside, for copies of the database
    /// that need it.
    void retire();
}
