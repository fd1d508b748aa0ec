package dev.vigil.api.task;

import dev.vigil.api.access.Namespaces;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Caller;
import dev.vigil.api.web.Cursors;
import dev.vigil.api.web.FieldError;
import dev.vigil.api.web.Fields;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Role;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.scheduler.execution.ExecutionFilter;
import dev.vigil.scheduler.execution.ExecutionView;
import dev.vigil.scheduler.task.Page;
import dev.vigil.scheduler.task.Priority;
import dev.vigil.scheduler.task.TaskFilter;
import dev.vigil.scheduler.task.TaskView;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The query of a list, narrowed to what the caller may see.
final class ListQuery {
    static final String[] TASK_PARAMETERS = {
        "limit", "after", "sort", "state", "type", "handler", "priority", "label", "created_by", "namespace", "name"
    };
    static final String[] EXECUTION_PARAMETERS = {
        "limit", "after", "sort", "task_id", "state", "handler", "worker_id", "namespace", "from", "to"
    };

    private final Call call;
    private final Namespaces namespaces;
    private final List<FieldError> errors = new ArrayList<>();

    ListQuery(Call call, Namespaces namespaces) {
        this.call = call;
        this.namespaces = namespaces;
    }

    /// The filter of a list of tasks.
    // NullAway does not read the annotation of a nested type from another module's class file: state may be null.
    @SuppressWarnings("NullAway")
    TaskFilter tasks() {
        var filter = new TaskFilter(
                namespace(),
                owner(),
                oneOf("state", TaskView.State.class).orElse(null),
                type(),
                call.query("handler").orElse(null),
                oneOf("priority", Priority.class).orElse(null),
                call.query("name").orElse(null),
                label());
        refuseErrors();
        return filter;
    }

    /// The filter of a list of executions.
    @SuppressWarnings("NullAway")
    ExecutionFilter executions() {
        var filter = new ExecutionFilter(
                namespace(),
                owner(),
                id("task_id", Kind.TASK),
                oneOf("state", ExecutionView.State.class).orElse(null),
                call.query("handler").orElse(null),
                id("worker_id", Kind.WORKER),
                time("from"),
                time("to"));
        refuseErrors();
        return filter;
    }

    /// The page, one row longer than asked for: the last one tells whether there is more.
    Page page(Cursors cursors) {
        return new Page(cursors.after(call, name()), Cursors.limit(call) + 1, Cursors.ascending(call));
    }

    /// Names the list with all its filters, so that a cursor of another one is refused.
    String name() {
        String[] parameters = call.path().endsWith("/tasks") ? TASK_PARAMETERS : EXECUTION_PARAMETERS;
        var name =
                new StringBuilder(call.path()).append(' ').append(call.caller().id());
        for (String parameter : parameters) {
            if (!parameter.equals("limit") && !parameter.equals("after")) {
                name.append('\n')
                        .append(parameter)
                        .append('=')
                        .append(call.query(parameter).orElse(""));
            }
        }
        return name.toString();
    }

    private @Nullable Integer namespace() {
        Caller caller = call.caller();
        Optional<String> asked = call.query("namespace");
        if (asked.isEmpty()) {
            return caller.isAdmin() ? null : caller.namespace();
        }
        // A namespace that a caller may not see lists like one that does not exist: empty.
        int nowhere = -1;
        return namespaces
                .numberOf(asked.get())
                .filter(number -> caller.isAdmin() || number == caller.namespace())
                .orElse(nowhere);
    }

    private @Nullable UUID owner() {
        Caller caller = call.caller();
        UUID asked = call.path().endsWith("/tasks") ? id("created_by", Kind.USER) : null;
        if (caller.role() != Role.SCHEDULER) {
            return asked;
        }
        return asked == null || asked.equals(caller.id()) ? caller.id() : new UUID(0, 0);
    }

    private @Nullable UUID id(String name, Kind kind) {
        Optional<String> text = call.query(name);
        if (text.isEmpty()) {
            return null;
        }
        Optional<Id> id = Id.parse(kind, text.get());
        if (id.isEmpty()) {
            errors.add(
                    new FieldError(name, "id", "is not an id of this kind", "it begins with " + kind.prefix() + "_"));
        }
        return id.map(Id::uuid).orElse(null);
    }

    private @Nullable Instant time(String name) {
        Optional<String> text = call.query(name);
        Optional<Instant> time = text.flatMap(Fields::time);
        if (text.isPresent() && time.isEmpty()) {
            errors.add(new FieldError(name, "time", "is not an RFC 3339 time", "write it like 2027-01-31T09:00:00Z"));
        }
        return time.orElse(null);
    }

    private @Nullable String type() {
        List<String> types = List.of("one_time", "cron", "interval");
        Optional<String> type = call.query("type");
        if (type.isPresent() && !types.contains(type.get())) {
            errors.add(
                    new FieldError("type", "not_in_list", "is none of the types", "use " + String.join(", ", types)));
            return null;
        }
        return type.orElse(null);
    }

    private <E extends Enum<E>> Optional<E> oneOf(String name, Class<E> type) {
        Optional<String> text = call.query(name);
        Optional<E> value = text.flatMap(wanted -> Arrays.stream(type.getEnumConstants())
                .filter(constant -> constant.name().toLowerCase(Locale.ROOT).equals(wanted))
                .findFirst());
        if (text.isPresent() && value.isEmpty()) {
            String all = String.join(
                    ", ",
                    Arrays.stream(type.getEnumConstants())
                            .map(constant -> constant.name().toLowerCase(Locale.ROOT))
                            .toList());
            errors.add(new FieldError(name, "not_in_list", "is none of the possible values", "use one of " + all));
        }
        return value;
    }

    private Map<String, String> label() {
        Optional<String> label = call.query("label");
        if (label.isEmpty()) {
            return Map.of();
        }
        int split = label.get().indexOf('=') > 0
                ? label.get().indexOf('=')
                : label.get().indexOf(':');
        if (split <= 0) {
            errors.add(new FieldError("label", "label", "is not a label", "write it as name=value"));
            return Map.of();
        }
        return Map.of(label.get().substring(0, split), label.get().substring(split + 1));
    }

    private void refuseErrors() {
        if (!errors.isEmpty()) {
            throw new ProblemException(Problem.invalid(errors));
        }
    }
}
