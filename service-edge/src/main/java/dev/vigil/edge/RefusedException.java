package dev.vigil.edge;

/// Ends a call with a problem. Caught once, where the answer is written.
public final class RefusedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient Problem problem;

    /// A call that ends so.
    public RefusedException(Problem problem) {
        // No stack trace: it is an answer, not a fault.
        super(problem.detail(), null, false, false);
        this.problem = problem;
    }

    /// A call that ends so.
    public RefusedException(Code code, String detail) {
        this(Problem.of(code, detail));
    }

    /// What the client is told.
    public Problem problem() {
        return problem;
    }
}
