package dev.vigil.api.web;

/// Ends a call with a problem. Thrown by handlers and body parsing, caught once, where the answer is written.
public final class ProblemException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient Problem problem;

    public ProblemException(Problem problem) {
        // No stack trace: it is an answer, not a fault, and a flood of them must stay cheap.
        super(problem.detail(), null, false, false);
        this.problem = problem;
    }

    public ProblemException(Code code, String detail) {
        this(Problem.of(code, detail));
    }

    /// What the client is told.
    public Problem problem() {
        return problem;
    }
}
