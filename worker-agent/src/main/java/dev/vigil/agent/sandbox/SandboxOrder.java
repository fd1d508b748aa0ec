package dev.vigil.agent.sandbox;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// What runs in a sandbox.
///
/// @param folder   working directory, read-only inside, as [Sandboxes#stage] gave it
/// @param command  program and arguments
/// @param limits   what it may use
/// @param extra    more folders it sees read-only: path as [JavaInside#extra] names it, to the path inside
public record SandboxOrder(Path folder, List<String> command, Limits limits, Map<Path, String> extra) {
    public SandboxOrder {
        command = List.copyOf(command);
        extra = Map.copyOf(extra);
    }
}
