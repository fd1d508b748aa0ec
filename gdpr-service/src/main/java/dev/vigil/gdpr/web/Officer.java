package dev.vigil.gdpr.web;

import java.util.Set;
import java.util.UUID;

/// Who asks, as a verified token says. The token itself goes on to the vault, which checks it again.
///
/// @param id        the person
/// @param role      such as `privacy_officer`
/// @param namespace number of the namespace he lives in
/// @param scopes    what the token was issued for
/// @param token     as it came
public record Officer(UUID id, String role, int namespace, Set<String> scopes, String token) {
    public Officer {
        scopes = Set.copyOf(scopes);
    }

    /// Whether his requests are about all namespaces.
    public boolean everywhere() {
        return role.equals("admin");
    }

    @Override
    public String toString() {
        return "Officer[" + id + ", " + role + "]";
    }
}
