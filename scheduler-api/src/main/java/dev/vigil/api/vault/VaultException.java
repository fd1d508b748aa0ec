package dev.vigil.api.vault;

/// The vault cannot go on: the root key is missing or another one, or a stored key was changed. Its message names the
/// row or the setting, never a key.
final class VaultException extends RuntimeException {
    private static final long serialVersionUID = 1;

    VaultException(String message) {
        super(message);
    }

    VaultException(String message, Throwable cause) {
        super(message, cause);
    }
}
