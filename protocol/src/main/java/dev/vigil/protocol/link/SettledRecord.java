package dev.vigil.protocol.link;

import java.util.UUID;

/// What became of a result.
///
/// @param execution the execution
/// @param fence     of the dispatch
/// @param committed false when the fence was stale, so that the result was refused
public record SettledRecord(UUID execution, long fence, boolean committed) {}
