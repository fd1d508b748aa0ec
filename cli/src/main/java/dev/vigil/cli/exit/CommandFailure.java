package dev.vigil.cli.exit;

/// Why a command could not do its work: a sentence for the user and an exit code.
public final class CommandFailure extends RuntimeException {
    private final int exitCode;

    /// A failure.
    ///
    /// @param exitCode one of [ExitCode]
    /// @param message  what, why, and what to do
    public CommandFailure(int exitCode, String message) {
        super(message);
        this.exitCode = exitCode;
    }

    /// What the process ends with.
    public int exitCode() {
        return exitCode;
    }
}
