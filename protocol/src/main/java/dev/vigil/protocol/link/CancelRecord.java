package dev.vigil.protocol.link;

import java.util.UUID;

/// An execution to stop: grace, then the whole process tree.
///
/// @param execution   the execution
/// @param fence       of the dispatch
/// @param graceMillis from the wish to SIGKILL
public record CancelRecord(UUID execution, long fence, int graceMillis) {}
