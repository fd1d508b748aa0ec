package dev.vigil.cli.audit;

import dev.vigil.cli.exit.CommandFailure;
import dev.vigil.cli.exit.ExitCode;
import dev.vigil.protocol.tree.EntryBundle;
import dev.vigil.protocol.tree.Hash;
import dev.vigil.protocol.tree.SignedNote;
import dev.vigil.protocol.tree.Tile;
import java.util.Optional;

/// A log on a server, at the routes of docs/reference/audit.md.
final class LogServer implements LogSource {
    private static final String BASE = "/api/v1/audit";
    private static final int BUNDLE_BYTES_MAX = Tile.FULL * (2 + EntryBundle.ENTRY_BYTES_MAX);
    private static final int PROOF_BYTES_MAX = 1024 * 1024;

    private final String base;
    private final Http http;

    /// @param url  of Vigil, or of its audit routes
    /// @param http sends the caller's token
    LogServer(String url, Http http) {
        String trimmed = url.replaceAll("/+$", "");
        this.base = trimmed.endsWith(BASE) ? trimmed : trimmed + BASE;
        this.http = http;
    }

    @Override
    public byte[] checkpoint() {
        return http.get(base + "/checkpoint", SignedNote.BYTES_MAX)
                .orElseThrow(() -> new CommandFailure(
                        ExitCode.UNREACHABLE, "there is no audit log at " + base + "; give the URL of Vigil"));
    }

    @Override
    public Optional<byte[]> read(Tile tile) {
        int bytesMax = tile.level() == Tile.ENTRIES ? BUNDLE_BYTES_MAX : Tile.FULL * Hash.BYTES;
        return http.get(base + "/" + tile.path(), bytesMax);
    }

    /// The proof of an event, as JSON.
    ///
    /// @return empty when the server knows no such event
    Optional<byte[]> proof(String event) {
        return http.get(base + "/events/" + event + "/proof", PROOF_BYTES_MAX);
    }
}
