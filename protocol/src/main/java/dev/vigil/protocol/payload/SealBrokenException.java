package dev.vigil.protocol.payload;

/// A sealed record that does not open: it was changed, moved, or the key is another's. The message never holds its
/// content.
public final class SealBrokenException extends Exception {
    private static final long serialVersionUID = 1;

    SealBrokenException(String message) {
        super(message);
    }
}
