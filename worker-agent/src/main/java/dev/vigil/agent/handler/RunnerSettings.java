package dev.vigil.agent.handler;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// How a worker runs handlers.
///
/// @param stateDirectory   private folder of this agent; one live agent per folder
/// @param handlerFolders   each holds one sub-folder per handler
/// @param demoHandlers     whether the built-in `demo.*` are offered
/// @param slots            executions at once, 1 to 1000
/// @param allowUnsandboxed run without a sandbox when there is none: for development only
/// @param ownedWithin      how long an execution runs without anybody calling it owned
/// @param orphanGrace      the same while told that the database is down
public record RunnerSettings(
        Path stateDirectory,
        List<Path> handlerFolders,
        boolean demoHandlers,
        int slots,
        boolean allowUnsandboxed,
        Duration ownedWithin,
        Duration orphanGrace) {

    public RunnerSettings {
        if (slots < 1 || slots > 1000) {
            throw new IllegalArgumentException("vigil.agent.slots is " + slots + "; use 1 to 1000");
        }
        handlerFolders = List.copyOf(handlerFolders);
    }

    /// The settings of a usual worker: 12 s and 60 s as the protocol says, sandbox required.
    public static RunnerSettings of(Path stateDirectory, List<Path> handlerFolders, int slots) {
        return new RunnerSettings(
                stateDirectory, handlerFolders, true, slots, false, Duration.ofSeconds(12), Duration.ofSeconds(60));
    }
}
