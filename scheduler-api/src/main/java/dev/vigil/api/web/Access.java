package dev.vigil.api.web;

import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Who may call a route.
public sealed interface Access {
    /// Anybody, within the limit of its kind.
    ///
    /// @param limit which rate limit counts
    record Open(Limit limit) implements Access {}

    /// Callers with a token, of one of the roles, issued for the scope.
    ///
    /// @param roles those allowed; never empty
    /// @param scope what the token must name; null where any token will do
    record Bearer(Set<Role> roles, @Nullable Scope scope) implements Access {
        public Bearer {
            roles = EnumSet.copyOf(roles);
        }
    }

    /// Peers on the worker port that showed a certificate of the vault's CA.
    record Certificate() implements Access {}

    /// How often strangers may call an open route.
    enum Limit {
        /// Static files, discovery: free.
        NONE,
        /// Ten a second for each address.
        HEALTH,
        /// Only failures count, by the route itself.
        FAILURES,
        /// Ten in any minute for each address.
        UNAUTHENTICATED
    }
}
