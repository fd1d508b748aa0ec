package dev.vigil.agent.sandbox;

import java.io.IOException;

/// A place that a stranger's program runs in. Safe for use by several threads.
public interface Sandbox {
    /// `bubblewrap`, or `none`.
    String kind();

    /// `cgroup`, or `rlimit`.
    String limits();

    /// Prepares a sandbox. Its program does not start before [SandboxProcess#release].
    ///
    /// @throws IOException when the machine cannot start one now
    SandboxProcess start(SandboxOrder order) throws IOException;
}
