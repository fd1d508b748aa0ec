package dev.vigil.api.vault;

import dev.vigil.api.web.Call;
import dev.vigil.api.web.Caller;
import dev.vigil.api.web.NamespaceNumbers;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;

/// The namespace that a call is about: the caller's own, or the one that an admin names with `?namespace=`.
final class ChosenNamespace {
    static final String PARAMETER = "namespace";

    private final NamespaceNumbers numbers;

    ChosenNamespace(NamespaceNumbers numbers) {
        this.numbers = numbers;
    }

    /// Its number.
    ///
    /// @throws ProblemException 404 for one that is not there, or not the caller's
    int of(Call call) {
        Caller caller = call.caller();
        return call.query(PARAMETER)
                .map(name -> numbers.numberOf(name)
                        .filter(number -> caller.isAdmin() || number == caller.namespace())
                        .orElseThrow(() -> new ProblemException(Problem.notFound())))
                .orElseGet(caller::namespace);
    }
}
