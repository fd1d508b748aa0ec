package dev.vigil.scheduler;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/// Settings of a core, `vigil.*`. An unknown one stops the start.
///
/// @param database `vigil.database.*`
/// @param core     `vigil.core.*`
@ConfigurationProperties(prefix = "vigil", ignoreUnknownFields = false)
record CoreSettings(Database database, Core core) {
    /// Where PostgreSQL is.
    ///
    /// @param url         JDBC address
    /// @param username    the role this service works as
    /// @param password    of that role
    /// @param connections size of the pool for all but the engine's loops, which have their own
    /// @param migration   the role that migrates at start; without it the schema must be there already
    public record Database(
            String url,
            String username,
            String password,
            @DefaultValue("4") int connections,
            @Nullable Login migration) {
        @Override
        public String toString() {
            return url;
        }
    }

    /// A database role.
    ///
    /// @param username the role that owns the schemas; used at the start only
    /// @param password of that role
    public record Login(String username, String password) {
        @Override
        public String toString() {
            return username;
        }
    }

    /// This core.
    ///
    /// @param name           for people; in the certificate's request
    /// @param stateDir       private folder of its key and certificate
    /// @param apiUrl         worker port of the API
    /// @param joinToken      needed once, while there is no certificate
    /// @param caPin          `sha256:…` of the CA, needed once, with the token
    /// @param managementPort `/livez` and `/readyz`; 0 for a free one
    /// @param host           address to bind for workers and for health
    /// @param advertisedHost name or address that workers and services reach it by
    /// @param sessionsPort   HTTPS port of sessions and hints; 0 for a free one
    /// @param linkPort       TLS port of the link; 0 for a free one
    /// @param sessionLife    longest life of a worker's session
    /// @param loops          threads among which the shards are divided, each with a connection of its own; 0 for
    ///                       one a processor, but 2 to 4
    /// @param keepDispatches how long rows of the recovery log are kept; at least `1d`
    /// @param keepEnded      how long ended executions, results, finished tasks and logs are kept (logs a month
    ///                       at most); at least `1d`. Whole months go at once, so up to a month more
    public record Core(
            @DefaultValue("core") String name,
            Path stateDir,
            URI apiUrl,
            @Nullable String joinToken,
            @Nullable String caPin,
            @DefaultValue("0") int managementPort,
            @DefaultValue("127.0.0.1") String host,
            @DefaultValue("127.0.0.1") String advertisedHost,
            @DefaultValue("0") int sessionsPort,
            @DefaultValue("0") int linkPort,
            @DefaultValue("1h") Duration sessionLife,
            @DefaultValue("0") int loops,
            @DefaultValue("3d") Duration keepDispatches,
            @DefaultValue("90d") Duration keepEnded) {
        @Override
        public String toString() {
            return name + " in " + stateDir;
        }
    }
}
