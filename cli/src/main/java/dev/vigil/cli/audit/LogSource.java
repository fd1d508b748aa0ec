package dev.vigil.cli.audit;

import dev.vigil.protocol.tree.Tile;
import java.util.Optional;

/// Where a log is read from: a folder or a server. It is believed nothing.
interface LogSource {
    /// The newest checkpoint, as it is kept.
    byte[] checkpoint();

    /// A tile or an entry bundle.
    ///
    /// @return empty when it is not there
    Optional<byte[]> read(Tile tile);
}
