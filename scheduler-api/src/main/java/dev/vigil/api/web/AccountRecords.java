package dev.vigil.api.web;

import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// What is stored about an account, for the person it belongs to.
public interface AccountRecords {
    /// The account with its keys and sign-ins, in JSON, without anything that signs in: no password, no secret, no
    /// hash.
    ///
    /// @return empty when there is none, or it is erased
    Optional<Map<String, @Nullable Object>> of(UUID user);
}
