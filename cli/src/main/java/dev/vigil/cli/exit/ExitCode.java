package dev.vigil.cli.exit;

/// What the command's exit code says. Documented in docs/reference/audit.md; a code never changes its meaning.
public final class ExitCode {
    /// Done; for `verify`: everything holds.
    public static final int OK = 0;

    /// A fault of this program.
    public static final int UNEXPECTED = 1;

    /// The arguments are wrong.
    public static final int USAGE = 2;

    /// The server did not answer, or not with what it should.
    public static final int UNREACHABLE = 3;

    /// The server did not accept who asks.
    public static final int REFUSED = 4;

    /// A local file or folder cannot be read or written.
    public static final int FILES = 5;

    /// What was asked for does not exist.
    public static final int NOT_FOUND = 6;

    /// The evidence does not hold: something was changed.
    public static final int TAMPERING = 8;

    private ExitCode() {}
}
