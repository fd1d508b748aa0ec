package dev.vigil.agent.sandbox;

/// What this machine holds.
///
/// @param kind   `bubblewrap` or `none`
/// @param limits `cgroup` or `rlimit`
/// @param usable whether anything may run
/// @param detail for the operator: what holds, or which check failed and what to do
public record SandboxReport(String kind, String limits, boolean usable, String detail) {}
