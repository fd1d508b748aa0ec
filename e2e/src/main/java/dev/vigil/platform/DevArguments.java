package dev.vigil.platform;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads the options of `./vigil dev`.
final class DevArguments {
    private static final int PORT = 8080;

    private Path data;
    private int port = PORT;
    private @Nullable Path handlers;
    private boolean approveHandlers;
    private int workers = 1;
    private int cores = 1;
    private boolean allowUnsandboxed;
    private @Nullable OtherServer otherServer;

    private DevArguments(Path data) {
        this.data = data;
    }

    /// @param programs where PostgreSQL's programs are unpacked
    /// @throws IllegalArgumentException with a message that names the option, its value and what fits
    static PlatformSettings parse(List<String> arguments, Path defaultData, Path programs) {
        var parsed = new DevArguments(defaultData);
        var rest = new ArrayDeque<>(arguments);
        while (!rest.isEmpty()) {
            parsed.take(rest.removeFirst(), rest);
        }
        return new PlatformSettings(
                parsed.data,
                parsed.port,
                parsed.handlers,
                parsed.approveHandlers,
                parsed.workers,
                parsed.cores,
                parsed.allowUnsandboxed,
                parsed.otherServer,
                programs);
    }

    private void take(String option, ArrayDeque<String> rest) {
        switch (option) {
            case "--data" -> data = Path.of(value(option, rest));
            case "--port" -> port = number(option, rest);
            case "--handlers" -> handlers = Path.of(value(option, rest));
            case "--approve-handlers" -> approveHandlers = true;
            case "--workers" -> workers = number(option, rest);
            case "--cores" -> cores = number(option, rest);
            case "--database" -> otherServer = OtherServer.of(System.getenv(), value(option, rest));
            case "--allow-unsandboxed" -> allowUnsandboxed = true;
            default -> throw new IllegalArgumentException("unknown option " + option + "; see ./vigil --help");
        }
    }

    private static String value(String option, ArrayDeque<String> rest) {
        String value = rest.pollFirst();
        if (value == null || value.isEmpty()) {
            throw new IllegalArgumentException(option + " needs a value; see ./vigil --help");
        }
        return value;
    }

    private static int number(String option, ArrayDeque<String> rest) {
        String value = value(option, rest);
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException noNumber) {
            throw new IllegalArgumentException(option + " is " + value + "; use a whole number", noNumber);
        }
    }
}
