package dev.vigil.protocol.link;

import java.util.UUID;

/// What a worker did with a dispatch.
///
/// @param execution the execution
/// @param fence     of the dispatch
/// @param declined  why it will not run here, `[a-z_]`; empty when it started
public record AckRecord(UUID execution, long fence, String declined) {
    /// Whether the handler was started.
    public boolean started() {
        return declined.isEmpty();
    }
}
