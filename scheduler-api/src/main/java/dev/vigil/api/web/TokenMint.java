package dev.vigil.api.web;

import java.time.Duration;

/// Signs access tokens for the services of this installation, which call each other on behalf of a request.
public interface TokenMint {
    /// A token of one service. It belongs to no user, so this service itself does not accept it.
    ///
    /// @param service such as `gdpr`
    /// @param role    what it may do there
    /// @param scope   what it is for
    /// @param life    at most 10 minutes
    String ofService(String service, Role role, Scope scope, Duration life);

    /// A token of a caller, for a call that is passed on: services behind this one know no API keys.
    ///
    /// @param life at most 10 minutes
    String ofCaller(Caller caller, Duration life);
}
