package dev.vigil.api.vault;

/// What opening a sealed record gave.
public sealed interface Opened {
    /// The plaintext; not copied, do not keep it longer than the answer needs it.
    record Plain(byte[] bytes) implements Opened {
        @Override
        public String toString() {
            return "Plain[hidden]";
        }
    }

    /// The key was destroyed with its subject's erasure: nobody opens it again.
    record Erased() implements Opened {}

    /// The record was changed or moved, or its key is unknown. The audit trail has the event already.
    record Broken() implements Opened {}
}
