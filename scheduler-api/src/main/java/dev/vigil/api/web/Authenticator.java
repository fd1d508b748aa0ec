package dev.vigil.api.web;

/// Finds out whom a bearer token or an API key belongs to.
public interface Authenticator {
    /// Looks it up; the cache behind it is never older than a revocation by more than 2 s.
    ///
    /// @param address where the call comes from; some keys work from some addresses only
    Outcome authenticate(String bearer, String address);

    /// What became of it.
    sealed interface Outcome {
        /// A valid token or key of an enabled caller.
        record Known(Caller caller) implements Outcome {}

        /// Anything else; the client is not told which.
        record Refused() implements Outcome {}
    }
}
