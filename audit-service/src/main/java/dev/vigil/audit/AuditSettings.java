package dev.vigil.audit;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/// Settings of the service, `vigil.*`. An unknown one stops the start.
///
/// @param database       `vigil.database.*`
/// @param token          `vigil.token.*`: whose tokens are accepted
/// @param audit          `vigil.audit.*`: the log
/// @param trustedProxies addresses whose `X-Forwarded-For` and `X-Request-Id` count; those of other services always do
@ConfigurationProperties(prefix = "vigil", ignoreUnknownFields = false)
record AuditSettings(
        @Nullable Database database,
        @Nullable Token token,
        @DefaultValue Log audit,
        @DefaultValue List<String> trustedProxies) {
    AuditSettings {
        trustedProxies = List.copyOf(trustedProxies);
        if (database == null) {
            throw new IllegalArgumentException(
                    "vigil.database.url, .username and .password are missing; the log lives in PostgreSQL");
        }
        if (token == null) {
            throw new IllegalArgumentException(
                    "vigil.token.issuer is missing; give the URL of the API whose tokens are accepted");
        }
    }

    Database databaseOrThrow() {
        return java.util.Objects.requireNonNull(database);
    }

    Token tokenOrThrow() {
        return java.util.Objects.requireNonNull(token);
    }

    /// Where PostgreSQL is.
    ///
    /// @param url         JDBC address
    /// @param username    the role this service works as, `vigil_audit`
    /// @param password    of that role
    /// @param connections how many connections answer requests; the sequencer has one more of its own
    /// @param migration   the role that migrates at start; without it the schema must be there already
    record Database(
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
    record Login(String username, String password) {
        @Override
        public String toString() {
            return username;
        }
    }

    /// Whose tokens are accepted.
    ///
    /// @param issuer  the API's URL, without a slash at the end
    /// @param jwksUri where its keys are; by default `<issuer>/oauth2/jwks`, or the API's worker port where
    ///                this service has a certificate; whether a token stands is asked beside it, at `…/standing`
    record Token(URI issuer, @Nullable URI jwksUri) {}

    /// Where the keys are that tokens are checked with.
    String tokenKeys() {
        Token issuer = tokenOrThrow();
        if (issuer.jwksUri() != null) {
            return issuer.jwksUri().toString();
        }
        return audit.apiUrl() == null ? issuer.issuer() + "/oauth2/jwks" : audit.apiUrl() + "/internal/v1/jwks";
    }

    /// The log.
    ///
    /// @param origin           its name: the first line of its checkpoints and the name of its key
    /// @param signingKeyFile   PEM file with its Ed25519 key
    /// @param createSigningKey whether to make the key when the file is not there
    /// @param sources          schemas with an outbox
    /// @param apiUrl           worker port of the API, `https://host:port`. With it this service has a
    ///                         certificate and its port is TLS 1.3, for other services of this installation only;
    ///                         without it that port is plain HTTP and must not leave the machine
    /// @param stateDir         private folder for the certificate
    /// @param joinToken        needed only while there is no certificate
    /// @param caPin            the same
    record Log(
            @DefaultValue("vigil.local/audit") String origin,
            @DefaultValue("audit-signing-key.pem") Path signingKeyFile,
            @DefaultValue("false") boolean createSigningKey,

            @DefaultValue({"scheduler", "access", "gdpr", "audit"})
            List<String> sources,

            @Nullable URI apiUrl,
            @DefaultValue("audit-state") Path stateDir,
            @Nullable String joinToken,
            @Nullable String caPin) {
        Log {
            sources = List.copyOf(sources);
        }

        @Override
        public String toString() {
            return "Log[" + origin + "]";
        }
    }
}
