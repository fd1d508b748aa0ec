package dev.vigil.audit.log;

/// The stored log contradicts what was signed. Signing on would make the log sign a fork, so the sequencer stops.
final class TreeBrokenException extends RuntimeException {
    TreeBrokenException(String message) {
        super(message);
    }
}
