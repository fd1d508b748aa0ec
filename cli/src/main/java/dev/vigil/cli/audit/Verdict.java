package dev.vigil.cli.audit;

import dev.vigil.protocol.tree.Checkpoint;
import java.util.List;

/// What a verification came to.
sealed interface Verdict {
    /// Everything holds.
    ///
    /// @param checkpoint what was verified
    /// @param held       what that rests on, a sentence each
    record Verified(Checkpoint checkpoint, List<String> held) implements Verdict {
        public Verified {
            held = List.copyOf(held);
        }
    }

    /// Something was changed.
    ///
    /// @param what names the first bad entry, tile or checkpoint, and says what is wrong with it
    record Tampered(String what) implements Verdict {}

    /// The log is sound, but what was asked for is not in it.
    record Absent(String what) implements Verdict {}
}
