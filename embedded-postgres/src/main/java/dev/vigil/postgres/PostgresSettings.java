package dev.vigil.postgres;

import java.nio.file.Path;
import java.util.Map;

/// Where a server lives and how it is reached.
///
/// @param dir       folder of this server: cluster, passwords and log; created with mode 0700 when absent
/// @param port      loopback TCP port; 0 takes a free one
/// @param serverDir folder below which the server programs are unpacked, one sub-folder a version; may be shared
/// @param overrides server settings by name that replace the defaults of [EmbeddedPostgres]; never `fsync` and the like
///                  for anything that is called durable
public record PostgresSettings(Path dir, int port, Path serverDir, Map<String, String> overrides) {
    public PostgresSettings {
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException("PostgreSQL port is " + port + "; use 0 (a free one) to 65535");
        }
        dir = dir.toAbsolutePath().normalize();
        serverDir = serverDir.toAbsolutePath().normalize();
        overrides = Map.copyOf(overrides);
    }

    /// A server on a free port whose programs are unpacked beside its data.
    public static PostgresSettings in(Path dir) {
        return new PostgresSettings(dir, 0, dir.resolve("server"), Map.of());
    }

    /// The same with programs that several servers share.
    public PostgresSettings withServerDir(Path shared) {
        return new PostgresSettings(dir, port, shared, overrides);
    }

    /// The same on a fixed port.
    public PostgresSettings withPort(int fixed) {
        return new PostgresSettings(dir, fixed, serverDir, overrides);
    }
}
