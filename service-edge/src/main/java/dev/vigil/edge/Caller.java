package dev.vigil.edge;

import java.util.Set;
import java.util.UUID;

/// Who calls, as a verified token says.
///
/// @param id        the person or service account
/// @param role      such as `privacy_officer`
/// @param namespace number of the namespace it lives in
/// @param scopes    what the token was issued for
/// @param token     as it came, to go on to the API, which checks it again
public record Caller(UUID id, String role, int namespace, Set<String> scopes, String token) {
    public Caller {
        scopes = Set.copyOf(scopes);
    }

    /// Whether it may ask about all namespaces.
    public boolean everywhere() {
        return role.equals("admin");
    }

    /// Lets it on when it has one of some roles and a scope.
    ///
    /// @throws RefusedException 403, with what is missing
    public void requireRole(Set<String> roles, String scope) {
        if (!roles.contains(role)) {
            throw new RefusedException(
                    Code.ROLE_MISSING,
                    "Only the roles "
                            + String.join(" and ", roles.stream().sorted().toList()) + " may do this.");
        }
        if (!scopes.contains(scope)) {
            throw new RefusedException(Code.SCOPE_MISSING, "The token lacks the scope " + scope + "; get one with it.");
        }
    }

    @Override
    public String toString() {
        return "Caller[" + id + ", " + role + "]";
    }
}
