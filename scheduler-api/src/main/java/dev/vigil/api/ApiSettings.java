package dev.vigil.api;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/// Settings of the service, `vigil.*`. An unknown one stops the start.
///
/// @param url            where clients find this service, without a slash at the end; also the issuer of its tokens
/// @param domain         trust domain of certificates, `spiffe://<domain>/…`
/// @param database       `vigil.database.*`
/// @param bootstrap      `vigil.bootstrap.*`: accounts that exist from the first start
/// @param limits         `vigil.limits.*`
/// @param workerPort     `vigil.worker-port.*`
/// @param audit          `vigil.audit.*`
/// @param gdpr           `vigil.gdpr.*`
/// @param trustedProxies addresses or networks (CIDR) whose `X-Forwarded-For` counts
/// @param publicClients  programs that people sign in to: client_id and redirect URIs, which must match exactly
/// @param vault          read by [dev.vigil.api.vault.VaultSettings]
@ConfigurationProperties(prefix = "vigil", ignoreUnknownFields = false)
record ApiSettings(
        URI url,
        @DefaultValue("vigil.local") String domain,
        Database database,
        @DefaultValue Bootstrap bootstrap,
        @DefaultValue Limits limits,
        @DefaultValue WorkerPort workerPort,
        @DefaultValue Upstream audit,
        @DefaultValue Upstream gdpr,
        @DefaultValue List<String> trustedProxies,
        @DefaultValue Map<String, List<String>> publicClients,
        @DefaultValue Map<String, String> vault) {
    public ApiSettings {
        if (url.toString().endsWith("/") || url.getHost() == null) {
            throw new IllegalArgumentException(
                    "vigil.url is " + url + "; give scheme, host and port without a slash at the end");
        }
        trustedProxies = List.copyOf(trustedProxies);
        publicClients = Map.copyOf(publicClients);
        vault = Map.copyOf(vault);
    }

    /// Where PostgreSQL is.
    ///
    /// @param url         JDBC address
    /// @param username    the role this service works as
    /// @param password    of that role
    /// @param connections size of the pool
    /// @param migration   the role that migrates at start; without it the schemas must be there already
    record Database(
            String url,
            String username,
            String password,
            @DefaultValue("12") int connections,
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
    record Login(String username, String password) {
        @Override
        public String toString() {
            return username;
        }
    }

    /// Accounts made at the first start; later starts leave them alone.
    ///
    /// @param admin            the first administrator
    /// @param client           the first service account
    /// @param approvedHandlers handlers that need no second admin, for development and for what is brought along
    record Bootstrap(
            @Nullable Admin admin,
            @Nullable Client client,
            @DefaultValue List<String> approvedHandlers) {
        public Bootstrap {
            approvedHandlers = List.copyOf(approvedHandlers);
        }
    }

    /// The first administrator.
    ///
    /// @param username name of the account
    /// @param password at least 12 characters
    record Admin(@DefaultValue("admin") String username, String password) {
        public Admin {
            if (password.length() < 12) {
                throw new IllegalArgumentException(
                        "vigil.bootstrap.admin.password has " + password.length() + " characters; use at least 12");
            }
        }

        @Override
        public String toString() {
            return username;
        }
    }

    /// The first service account.
    ///
    /// @param id     its client_id
    /// @param secret at least 32 characters of `[A-Za-z0-9_-]`; random, because it is stored as a plain hash
    record Client(@DefaultValue("vigil-client") String id, String secret) {
        public Client {
            if (!secret.matches("[A-Za-z0-9_-]{32,128}")) {
                throw new IllegalArgumentException(
                        "vigil.bootstrap.client.secret must be 32 to 128 random characters of A-Z a-z 0-9 _ -");
            }
        }

        @Override
        public String toString() {
            return id;
        }
    }

    /// Rates, per node.
    ///
    /// @param requestsPerMinute        of a principal that has no rate of its own
    /// @param unauthenticatedPerMinute of an address without, or with bad, credentials
    /// @param tokenLife                how long an access token lasts
    /// @param sessionLife              how long a sign-in can be refreshed
    record Limits(
            @DefaultValue("100") int requestsPerMinute,
            @DefaultValue("10") int unauthenticatedPerMinute,
            @DefaultValue("1h") Duration tokenLife,
            @DefaultValue("30d") Duration sessionLife) {
        public Limits {
            if (requestsPerMinute < 1 || unauthenticatedPerMinute < 1) {
                throw new IllegalArgumentException("vigil.limits.*-per-minute must be at least 1");
            }
            if (tokenLife.compareTo(Duration.ofMinutes(1)) < 0 || tokenLife.compareTo(Duration.ofDays(1)) > 0) {
                throw new IllegalArgumentException("vigil.limits.token-life is " + tokenLife + "; use 1m to 24h");
            }
        }
    }

    /// Where workers and the other services connect.
    ///
    /// @param port    0 for a free one, -1 for none
    /// @param address the interface it listens on
    record WorkerPort(
            @DefaultValue("-1") int port,
            @DefaultValue("127.0.0.1") String address) {}

    /// A service behind this one.
    ///
    /// @param url without a slash at the end; without it its routes do not exist
    record Upstream(@Nullable URI url) {}
}
