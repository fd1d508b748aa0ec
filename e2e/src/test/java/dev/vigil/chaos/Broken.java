package dev.vigil.chaos;

/// Something that must hold under faults did not.
final class Broken extends RuntimeException {
    private static final long serialVersionUID = 1;

    /// @param what what was expected, and what was seen
    Broken(String what) {
        super(what);
    }
}
