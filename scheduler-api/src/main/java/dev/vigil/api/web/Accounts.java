package dev.vigil.api.web;

import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Accounts as those see them who erase a person.
public interface Accounts {
    /// Number of the namespace that an account lives in; empty when there is none, or it is erased.
    Optional<Integer> namespaceOf(UUID user);

    /// What an account may have; nothing beyond what everybody may when there is none.
    Caller.Permissions permissionsOf(UUID user);

    /// Disables an account and takes its owner out of it: name and password go, the id stays for what refers to it.
    /// May be repeated.
    ///
    /// @param by      who approved it; null when it is done again after a restore
    /// @param request `dsr_…`
    void erase(UUID user, @Nullable UUID by, String request);
}
