package dev.vigil.platform;

import com.fasterxml.jackson.annotation.JsonProperty;

/// How to reach a running platform: the content of `ready.json`.
///
/// @param url           public address of the API, no trailing slash
/// @param auditUrl      audit-service
/// @param gdprUrl       gdpr-service
/// @param workerUrl     the API's mTLS port for workers
/// @param managementUrl metrics
/// @param admin         a user of role admin
/// @param client        a service account of role scheduler
/// @param caCert        path of the certificate that signs those of workers and services
/// @param postgres      the database, as its owner
/// @param pid           the JVM of the server services
record Ready(
        String url,
        @JsonProperty("audit_url") String auditUrl,
        @JsonProperty("gdpr_url") String gdprUrl,
        @JsonProperty("worker_url") String workerUrl,
        @JsonProperty("management_url") String managementUrl,
        Admin admin,
        Client client,
        @JsonProperty("ca_cert") String caCert,
        Postgres postgres,
        long pid) {

    /// A person's login.
    ///
    /// @param username name
    /// @param password never printed by `toString`
    record Admin(String username, String password) {
        @Override
        public String toString() {
            return username;
        }
    }

    /// A client of the client-credentials grant.
    ///
    /// @param clientId     its id
    /// @param clientSecret never printed by `toString`
    record Client(
            @JsonProperty("client_id") String clientId,
            @JsonProperty("client_secret") String clientSecret) {
        @Override
        public String toString() {
            return clientId;
        }
    }

    /// The database.
    ///
    /// @param host     loopback
    /// @param port     TCP
    /// @param database its name
    /// @param owner    the role that owns it
    /// @param password of that role; never printed by `toString`
    record Postgres(String host, int port, String database, String owner, String password) {
        @Override
        public String toString() {
            return owner + "@" + host + ":" + port + "/" + database;
        }
    }
}
