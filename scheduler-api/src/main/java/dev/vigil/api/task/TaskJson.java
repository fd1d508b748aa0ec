package dev.vigil.api.task;

import dev.vigil.api.access.Namespaces;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.scheduler.execution.ExecutionView;
import dev.vigil.scheduler.task.RetryPolicy;
import dev.vigil.scheduler.task.Schedule;
import dev.vigil.scheduler.task.TaskDraft;
import dev.vigil.scheduler.task.TaskView;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// How tasks and executions look to clients.
final class TaskJson {
    private final Namespaces namespaces;

    TaskJson(Namespaces namespaces) {
        this.namespaces = namespaces;
    }

    /// A task without its payload.
    Map<String, @Nullable Object> task(TaskView task) {
        TaskDraft draft = task.draft();
        Map<String, @Nullable Object> view = new LinkedHashMap<>();
        view.put("id", id(Kind.TASK, task.id()));
        view.put("name", draft.name());
        view.put("handler", draft.handler());
        view.put("type", draft.schedule().type());
        view.put("state", lower(task.state()));
        view.put("next_fire_at", time(task.nextFireAt()));
        view.put("schedule", schedule(draft));
        view.put("priority", lower(draft.priority()));
        view.put("timeout", draft.timeout().toString());
        view.put("retry", retry(draft.retry()));
        view.put("labels", draft.labels());
        view.put(
                "after",
                draft.after().stream().map(id -> id(Kind.EXECUTION, id)).toList());
        view.put("namespace", namespaces.nameOf(task.namespace()));
        view.put("created_by", id(Kind.USER, task.owner()));
        view.put("created_at", time(task.createdAt()));
        view.put("version", task.version());
        return view;
    }

    private static Map<String, @Nullable Object> schedule(TaskDraft draft) {
        Map<String, @Nullable Object> view = new LinkedHashMap<>();
        view.put("type", draft.schedule().type());
        switch (draft.schedule()) {
            case Schedule.OneTime(Instant at) -> view.put("at", time(at));
            case Schedule.Cron(String expression, ZoneId zone, Schedule.OnGap gap, Schedule.OnOverlap twice) -> {
                view.put("cron", expression);
                view.put("timezone", zone.getId());
                view.put("on_gap", lower(gap));
                view.put("on_overlap", lower(twice));
            }
            case Schedule.Interval(Duration every, Instant anchor) -> {
                view.put("every", every.toString());
                view.put("anchor", time(anchor));
            }
        }
        view.put("misfire", lower(draft.misfire()));
        view.put("misfire_limit", draft.misfireLimit());
        view.put("overlap", lower(draft.overlap()));
        view.put("jitter", draft.jitter().toString());
        return view;
    }

    private static Map<String, Object> retry(RetryPolicy retry) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("max_attempts", retry.maxAttempts());
        view.put("backoff", lower(retry.backoff()));
        view.put("initial", retry.initial().toString());
        view.put("max", retry.max().toString());
        return view;
    }

    /// An execution without its result.
    Map<String, @Nullable Object> execution(ExecutionView execution) {
        Map<String, @Nullable Object> view = new LinkedHashMap<>();
        view.put("id", id(Kind.EXECUTION, execution.id()));
        view.put("task_id", id(Kind.TASK, execution.taskId()));
        view.put("handler", execution.handler());
        view.put("state", lower(execution.state()));
        view.put("attempt", execution.attempt());
        view.put("scheduled_for", time(execution.scheduledFor()));
        view.put("started_at", time(execution.startedAt()));
        view.put("finished_at", time(execution.finishedAt()));
        Duration duration = execution.duration();
        view.put("duration_ms", duration == null ? null : duration.toMillis());
        UUID worker = execution.workerId();
        view.put("worker_id", worker == null ? null : id(Kind.WORKER, worker));
        view.put("namespace", namespaces.nameOf(execution.namespace()));
        String code = execution.errorCode();
        if (code != null) {
            Map<String, @Nullable Object> error = new LinkedHashMap<>();
            error.put("code", code);
            view.put("error", error);
        }
        return view;
    }

    private static String id(Kind kind, UUID uuid) {
        return new Id(kind, uuid).toString();
    }

    private static @Nullable String time(@Nullable Instant at) {
        return at == null ? null : at.truncatedTo(ChronoUnit.MILLIS).toString();
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
