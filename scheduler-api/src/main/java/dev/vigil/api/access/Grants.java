package dev.vigil.api.access;

import dev.vigil.api.web.Role;
import dev.vigil.api.web.Scope;
import java.util.EnumSet;
import java.util.Set;

/// Which scopes a token of each role may carry.
final class Grants {
    private Grants() {}

    /// Every scope that means something to the role.
    static Set<Scope> scopesOf(Role role) {
        return switch (role) {
            case ADMIN -> EnumSet.allOf(Scope.class);
            case SCHEDULER ->
                EnumSet.of(Scope.TASKS_READ, Scope.TASKS_WRITE, Scope.EXECUTIONS_READ, Scope.EXECUTIONS_CONTROL);
            case OPERATOR ->
                EnumSet.of(
                        Scope.TASKS_READ,
                        Scope.TASKS_WRITE,
                        Scope.EXECUTIONS_READ,
                        Scope.EXECUTIONS_CONTROL,
                        Scope.WORKERS_MANAGE);
            case EXECUTOR -> EnumSet.of(Scope.TASKS_READ, Scope.EXECUTIONS_READ, Scope.EXECUTIONS_CONTROL);
            case VIEWER -> EnumSet.of(Scope.TASKS_READ, Scope.EXECUTIONS_READ);
            case AUDITOR -> EnumSet.of(Scope.AUDIT_READ);
            case PRIVACY_OFFICER -> EnumSet.of(Scope.GDPR_MANAGE);
        };
    }
}
