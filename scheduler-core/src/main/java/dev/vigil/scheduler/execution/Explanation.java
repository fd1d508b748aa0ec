package dev.vigil.scheduler.execution;

import java.util.List;

/// Why an execution is not running, or what it does.
///
/// @param state   how far it is
/// @param reasons what holds it, the first one first; computed from what is stored and from what its owner has
///                published, and never empty
public record Explanation(ExecutionView.State state, List<Reason> reasons) {
    public Explanation {
        reasons = List.copyOf(reasons);
    }

    /// One reason.
    ///
    /// @param code   lower case with underscores; the codes are listed in docs/explanation/engine.md
    /// @param detail with the facts it rests on
    public record Reason(String code, String detail) {}
}
