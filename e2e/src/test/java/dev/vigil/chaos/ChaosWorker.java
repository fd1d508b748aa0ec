package dev.vigil.chaos;

import dev.vigil.agent.AgentMain;
import java.nio.file.Path;
import java.util.Objects;

/// The worker's own process, which writes down what it runs.
final class ChaosWorker {
    /// Names the file, in the environment.
    static final String STARTS = "CHAOS_STARTS";

    private ChaosWorker() {}

    static void main(String[] args) {
        var log = StartLog.append(Path.of(Objects.requireNonNull(System.getenv(STARTS), STARTS)));
        AgentMain.run(args, runner -> new WatchedRunner(runner, log, System::nanoTime));
    }
}
