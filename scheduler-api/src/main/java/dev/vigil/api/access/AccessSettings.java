package dev.vigil.api.access;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What this package is told at start; the root package reads it from the service's settings.
///
/// @param issuer            `iss` of every token
/// @param requestsPerMinute of principals without a rate of their own
/// @param tokenLife         of access tokens
/// @param sessionLife       how long a sign-in can be refreshed
/// @param publicClients     programs that people sign in to, and their redirect URIs
/// @param admin             made at the first start; null for none
/// @param client            made at the first start; null for none
public record AccessSettings(
        String issuer,
        int requestsPerMinute,
        Duration tokenLife,
        Duration sessionLife,
        Map<String, List<String>> publicClients,
        @Nullable Account admin,
        @Nullable Account client) {

    /// A name and what proves it.
    public record Account(String name, String secret) {
        @Override
        public String toString() {
            return name;
        }
    }
}
