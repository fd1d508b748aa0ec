package dev.vigil.protocol.link;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// How far a running execution is, by its own account.
///
/// @param execution the execution
/// @param fence     of the dispatch
/// @param millionths from 0 to 1,000,000
/// @param sealed    the handler's sentence, sealed; null when it gave none
public record ProgressRecord(UUID execution, long fence, int millionths, byte @Nullable [] sealed) {
    /// All done.
    public static final int WHOLE = 1_000_000;

    /// Longest sealed record.
    public static final int SEALED_BYTES_MAX = 4 * 1024 + 46;

    @Override
    public String toString() {
        return "ProgressRecord[" + execution + " fence " + fence + " " + millionths + "]";
    }
}
