package dev.vigil.gdpr;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/// Settings of the service, `vigil.*`. An unknown one stops the start.
///
/// @param database       `vigil.database.*`
/// @param token          `vigil.token.*`: whose tokens are accepted
/// @param gdpr           `vigil.gdpr.*`
/// @param trustedProxies addresses whose `X-Forwarded-For` and `X-Request-Id` count; those of other services always do
@ConfigurationProperties(prefix = "vigil", ignoreUnknownFields = false)
record GdprSettings(
        Database database,
        Token token,
        Service gdpr,
        @DefaultValue List<String> trustedProxies) {
    GdprSettings {
        trustedProxies = List.copyOf(trustedProxies);
        require(database, "vigil.database.url, .username and .password are missing; requests are kept in PostgreSQL");
        require(token, "vigil.token.issuer is missing; give the URL of the API whose tokens are accepted");
        require(gdpr, "vigil.gdpr.api-url and vigil.gdpr.audit-url are missing; say where the other services are");
    }

    private static void require(@Nullable Object part, String message) {
        if (part == null) {
            throw new IllegalArgumentException(message);
        }
    }

    /// Where PostgreSQL is.
    ///
    /// @param url         JDBC address
    /// @param username    the role this service works as, `vigil_gdpr`
    /// @param password    of that role
    /// @param connections size of the pool
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
    /// @param jwksUri where its keys are; by default `<issuer>/oauth2/jwks`, or the API's worker port with
    ///                `vigil.gdpr.tls`; whether a token stands is asked beside it, at `…/standing`
    record Token(URI issuer, @Nullable URI jwksUri) {}

    /// Where the keys are that tokens are checked with.
    String tokenKeys() {
        if (token.jwksUri() != null) {
            return token.jwksUri().toString();
        }
        return gdpr.tls() ? gdpr.apiUrl() + "/internal/v1/jwks" : token.issuer() + "/oauth2/jwks";
    }

    /// The service itself.
    ///
    /// @param name             for people, in the registry
    /// @param apiUrl           worker port of the API, `https://host:port`
    /// @param auditUrl         audit-service, without a slash at the end
    /// @param tls              whether the port is TLS 1.3, for other services of this installation only;
    ///                         without, it is plain HTTP and must not leave the machine
    /// @param stateDir         private folder for its certificate
    /// @param joinToken        needed only while there is no certificate
    /// @param caPin            `sha256:…` of the CA, needed only with the token
    /// @param signingKeyFile   PEM file with the P-256 key that signs exports and certificates
    /// @param createSigningKey whether to make the key when the file is not there
    /// @param exportLife       how long an export can be fetched
    record Service(
            @DefaultValue("gdpr") String name,
            URI apiUrl,
            URI auditUrl,
            @DefaultValue("false") boolean tls,
            @DefaultValue("gdpr-state") Path stateDir,
            @Nullable String joinToken,
            @Nullable String caPin,
            @DefaultValue("gdpr-signing-key.pem") Path signingKeyFile,
            @DefaultValue("false") boolean createSigningKey,
            @DefaultValue("7d") Duration exportLife) {
        Service {
            if (exportLife.compareTo(Duration.ofMinutes(1)) < 0 || exportLife.compareTo(Duration.ofDays(30)) > 0) {
                throw new IllegalArgumentException("vigil.gdpr.export-life is " + exportLife + "; use 1m to 30d");
            }
        }

        @Override
        public String toString() {
            return "Service[" + name + "]";
        }
    }
}
