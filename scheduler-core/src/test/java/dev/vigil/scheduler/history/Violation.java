package dev.vigil.scheduler.history;

/// A promise that was not kept.
///
/// @param what who and when, for a person to read
public record Violation(Invariant invariant, String what) {
    @Override
    public String toString() {
        return invariant + ": " + what;
    }
}
