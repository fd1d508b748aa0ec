package dev.vigil.agent.sandbox;

import java.nio.file.Path;
import java.util.List;

/// What the watchdog needs to end a sandbox.
///
/// @param cgroups its folders; empty without control groups
record WatchdogEntry(String id, int pid, List<Path> cgroups) {}
