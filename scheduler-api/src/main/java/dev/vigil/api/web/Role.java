package dev.vigil.api.web;

import java.util.Locale;
import java.util.Optional;

/// What a caller is allowed to do, denied by default; the table of [Route]s says which role may call what.
public enum Role {
    /// Everything.
    ADMIN,
    /// Own tasks and their executions.
    SCHEDULER,
    /// Reads all of the namespace; triggers, cancels, pauses, drains.
    OPERATOR,
    /// Triggers the tasks it may execute and reads their results.
    EXECUTOR,
    /// Reads tasks and executions of its namespace, nothing else.
    VIEWER,
    /// Audit trail and evidence, read only.
    AUDITOR,
    /// Requests of data subjects.
    PRIVACY_OFFICER;

    private final String label = name().toLowerCase(Locale.ROOT);

    /// The name in JSON.
    public String label() {
        return label;
    }

    /// The role of that name.
    public static Optional<Role> of(String label) {
        for (Role role : values()) {
            if (role.label.equals(label)) {
                return Optional.of(role);
            }
        }
        return Optional.empty();
    }
}
