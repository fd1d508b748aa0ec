package dev.vigil.api.web;

/// Finds out whom a bearer token belongs to.
public interface Authenticator {
    /// Looks a token up; the cache behind it is never older than a revocation by more than 2 s.
    Outcome authenticate(String bearer);

    /// What became of it.
    sealed interface Outcome {
        /// A valid token of an enabled caller.
        record Known(Caller caller) implements Outcome {}

        /// Anything else; the client is not told which.
        record Refused() implements Outcome {}
    }
}
