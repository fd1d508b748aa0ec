package dev.vigil.cli;

import dev.vigil.cli.audit.AuditCommand;
import dev.vigil.cli.exit.CommandFailure;
import dev.vigil.cli.exit.ExitCode;
import java.io.PrintWriter;
import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;

/// The command `vigil`.
@Command(
        name = "vigil",
        description = "Vigil from the command line.",
        mixinStandardHelpOptions = true,
        subcommands = AuditCommand.class)
public final class Vigil {
    private Vigil() {}

    /// Runs one command and ends the process with its exit code.
    public static void main(String[] args) {
        var out = new PrintWriter(System.out, true, System.out.charset());
        var err = new PrintWriter(System.err, true, System.err.charset());
        System.exit(run(out, err, args));
    }

    /// Runs one command.
    ///
    /// @param out gets results
    /// @param err gets what went wrong
    /// @return the exit code, see [ExitCode]
    public static int run(PrintWriter out, PrintWriter err, String... args) {
        var line = new CommandLine(new Vigil());
        line.setOut(out).setErr(err);
        line.setParameterExceptionHandler((wrong, given) -> misused(wrong));
        line.setExecutionExceptionHandler((failure, command, parsed) -> failed(failure, err));
        return args.length == 0 ? line.execute("--help") : line.execute(args);
    }

    private static int misused(ParameterException wrong) {
        CommandLine command = wrong.getCommandLine();
        command.getErr().println("vigil: " + wrong.getMessage());
        command.getErr().println("Try: " + command.getCommandSpec().qualifiedName() + " --help");
        return ExitCode.USAGE;
    }

    private static int failed(Exception failure, PrintWriter err) {
        if (failure instanceof CommandFailure known) {
            err.println("vigil: " + known.getMessage());
            return known.exitCode();
        }
        err.println("vigil: unexpected " + Objects.requireNonNullElse(failure.getMessage(), "fault")
                + "; please report it:");
        failure.printStackTrace(err);
        return ExitCode.UNEXPECTED;
    }
}
