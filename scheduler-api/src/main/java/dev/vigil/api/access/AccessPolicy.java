package dev.vigil.api.access;

import dev.vigil.api.web.Caller;
import dev.vigil.api.web.Role;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Who may do what to which task. Pure: the caller as he is, the thing as it is, a verdict. The role's right to call a
/// route at all was checked before, by the table of routes.
public final class AccessPolicy {
    private AccessPolicy() {}

    /// What is wanted of a task or of one of its executions.
    public enum Action {
        /// See it.
        READ,
        /// Open its payload.
        READ_PAYLOAD,
        /// Open the result or error detail of an execution.
        READ_RESULT,
        /// Open what an execution wrote while it ran, and what it said about its progress.
        READ_LOGS,
        /// Change or delete it.
        CHANGE,
        /// Pause and resume it, cancel its executions.
        CONTROL,
        /// Run it now, or once more.
        TRIGGER
    }

    /// A task, as far as it matters here.
    public record Target(UUID owner, int namespace, String handler) {}

    /// A task that does not exist yet.
    ///
    /// @param type     `one_time`, `cron` or `interval`
    /// @param priority in lower case
    /// @param handler  its name
    public record Wish(String type, String priority, String handler) {}

    /// What comes out.
    public sealed interface Verdict {
        /// Go on.
        record Allowed() implements Verdict {}

        /// The caller may see it, but not do this; he is told why.
        record Denied(String reason) implements Verdict {}

        /// The caller may not know that it exists.
        record Hidden() implements Verdict {}
    }

    private static final Verdict ALLOWED = new Verdict.Allowed();

    /// Whether a caller may create such a task.
    public static Verdict create(Caller caller, Wish wish) {
        if (caller.role() != Role.ADMIN && caller.role() != Role.SCHEDULER) {
            return new Verdict.Denied("Your role " + caller.role().label() + " creates no tasks; ask an admin.");
        }
        return permit(caller, wish);
    }

    /// Whether the permissions of a caller allow such a task, whatever his role.
    public static Verdict permit(Caller caller, Wish wish) {
        Caller.Permissions permissions = caller.permissions();
        if (!listed(permissions.allowedTaskTypes(), wish.type)) {
            return new Verdict.Denied("You may not have tasks of type " + wish.type + "; ask an admin to allow it.");
        }
        if (!listed(permissions.allowedPriorities(), wish.priority)) {
            return new Verdict.Denied("You may not use priority " + wish.priority + "; ask an admin to allow it.");
        }
        if (!matches(permissions.allowedHandlers(), wish.handler)) {
            return new Verdict.Denied("You may not use this handler; ask an admin to allow it.");
        }
        return ALLOWED;
    }

    /// Whether a caller may do something to a task.
    public static Verdict decide(Caller caller, Action action, Target target) {
        boolean runs = action == Action.CHANGE || action == Action.CONTROL || action == Action.TRIGGER;
        if (runs && !caller.mayRunIn(target.namespace)) {
            return decide(caller, Action.READ, target) instanceof Verdict.Hidden
                    ? new Verdict.Hidden()
                    : new Verdict.Denied("A test key runs nothing outside a sandbox namespace; use a live key.");
        }
        if (caller.role() == Role.ADMIN) {
            return ALLOWED;
        }
        boolean own = caller.id().equals(target.owner);
        if (!own && !sees(caller, target)) {
            return new Verdict.Hidden();
        }
        boolean allowed = switch (action) {
            case READ -> true;
            case READ_PAYLOAD -> own;
            case READ_RESULT -> own || caller.role() == Role.EXECUTOR;
            case READ_LOGS -> (own && caller.role() == Role.SCHEDULER) || caller.role() == Role.OPERATOR;
            case CHANGE -> own && caller.role() == Role.SCHEDULER;
            case CONTROL -> (own && caller.role() == Role.SCHEDULER) || caller.role() == Role.OPERATOR;
            case TRIGGER ->
                (own && caller.role() == Role.SCHEDULER)
                        || caller.role() == Role.OPERATOR
                        || caller.role() == Role.EXECUTOR;
        };
        return allowed
                ? ALLOWED
                : new Verdict.Denied("Your role " + caller.role().label()
                        + " may see this task, but not do this to it; ask its owner or an admin.");
    }

    /// Whether a caller sees a stranger's task.
    private static boolean sees(Caller caller, Target target) {
        if (caller.namespace() != target.namespace) {
            return false;
        }
        return switch (caller.role()) {
            case ADMIN, OPERATOR, VIEWER -> true;
            case EXECUTOR -> matches(caller.permissions().allowedHandlers(), target.handler);
            case SCHEDULER, AUDITOR, PRIVACY_OFFICER -> false;
        };
    }

    private static boolean listed(@Nullable Set<String> allowed, String value) {
        return allowed == null || allowed.contains(value);
    }

    /// A list of names, of which `backup.*` allows everything that begins with `backup.`, and `*` everything.
    private static boolean matches(@Nullable Set<String> allowed, String name) {
        if (allowed == null || allowed.contains(name)) {
            return true;
        }
        return allowed.stream()
                .anyMatch(entry -> entry.endsWith("*") && name.startsWith(entry.substring(0, entry.length() - 1)));
    }
}
