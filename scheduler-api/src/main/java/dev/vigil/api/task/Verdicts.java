package dev.vigil.api.task;

import dev.vigil.api.access.AccessPolicy.Verdict;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;

/// What a verdict of the access policy means to a client.
final class Verdicts {
    private Verdicts() {}

    /// @throws ProblemException 403, or 404 where the thing must not be known
    static void require(Verdict verdict) {
        switch (verdict) {
            case Verdict.Allowed() -> {}
            case Verdict.Denied(String reason) -> throw new ProblemException(Code.PERMISSION_DENIED, reason);
            case Verdict.Hidden() -> throw new ProblemException(Problem.notFound());
        }
    }
}
