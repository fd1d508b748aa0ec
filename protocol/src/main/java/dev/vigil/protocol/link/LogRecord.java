package dev.vigil.protocol.link;

import java.util.UUID;

/// Lines that an execution wrote, sealed together: a [dev.vigil.protocol.payload.LogChunk] under the task key.
///
/// @param execution the execution
/// @param fence     of the dispatch
/// @param firstLine number of its first line within the attempt, from 1; a gap says that lines were lost on the
///     way
/// @param lines     how many it holds
/// @param sealed    the sealed record
public record LogRecord(UUID execution, long fence, int firstLine, int lines, byte[] sealed) {
    /// Longest sealed record.
    public static final int SEALED_BYTES_MAX = 32 * 1024 + 46;

    @Override
    public String toString() {
        return "LogRecord[" + execution + " fence " + fence + ", lines " + firstLine + " + " + lines + "]";
    }
}
