package dev.vigil.api.web;

import java.util.Locale;
import java.util.Optional;

/// What a token was issued for. A caller needs the role and the scope.
public enum Scope {
    TASKS_READ,
    TASKS_WRITE,
    EXECUTIONS_READ,
    EXECUTIONS_CONTROL,
    WORKERS_MANAGE,
    USERS_MANAGE,
    AUDIT_READ,
    GDPR_MANAGE,
    SECRETS_MANAGE;

    private final String label = name().toLowerCase(Locale.ROOT).replace('_', ':');

    /// The name in tokens, such as `tasks:read`.
    public String label() {
        return label;
    }

    /// The scope of that name.
    public static Optional<Scope> of(String label) {
        for (Scope scope : values()) {
            if (scope.label.equals(label)) {
                return Optional.of(scope);
            }
        }
        return Optional.empty();
    }
}
