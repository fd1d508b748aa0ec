package dev.vigil.agent.handler;

/// What this worker tells the cores about its sandbox.
///
/// @param sandbox `bubblewrap`, or `none`
/// @param limits  `cgroup`, or `rlimit`: memory then holds per process, not per sandbox
/// @param usable  false when nothing can run; then [#detail] names the failed check
/// @param detail  a sentence for the operator
public record SandboxStatus(String sandbox, String limits, boolean usable, String detail) {}
