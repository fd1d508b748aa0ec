package dev.vigil.agent.sandbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;

/// Settings of a machine that forbid a user namespace to those who are not root, which is what bubblewrap is made
/// of.
final class UserNamespaces {
    /// Setting to the value that forbids.
    private static final Map<String, String> FORBID = Map.of(
            "kernel.apparmor_restrict_unprivileged_userns", "1",
            "kernel.unprivileged_userns_clone", "0",
            "user.max_user_namespaces", "0");

    private UserNamespaces() {}

    /// What to change, as the end of a sentence; empty when nothing forbids.
    static String hint() {
        return FORBID.entrySet().stream()
                .filter(setting -> setting.getValue().equals(value(setting.getKey())))
                .map(setting -> "; the machine has sysctl " + setting.getKey() + "=" + setting.getValue()
                        + ", which forbids user namespaces: allow them (on Ubuntu 24.04: sudo sysctl -w "
                        + "kernel.apparmor_restrict_unprivileged_userns=0)")
                .collect(Collectors.joining());
    }

    private static String value(String setting) {
        try {
            return Files.readString(Path.of("/proc/sys", setting.replace('.', '/')))
                    .strip();
        } catch (IOException e) {
            return ""; // this kernel has no such setting
        }
    }
}
