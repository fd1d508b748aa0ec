package dev.vigil.api.task;

import dev.vigil.api.access.AccessPolicy;
import dev.vigil.api.access.AccessPolicy.Action;
import dev.vigil.api.access.AccessPolicy.Verdict;
import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.Cursors;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Role;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.api.web.Scope;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.Kind;
import dev.vigil.scheduler.execution.ExecutionView;
import dev.vigil.scheduler.execution.Executions;
import dev.vigil.scheduler.task.CommandResult;
import dev.vigil.scheduler.task.Events;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Executions: read and cancel.
final class ExecutionRoutes implements Routes {
    private static final Role[] READERS = {Role.SCHEDULER, Role.OPERATOR, Role.EXECUTOR, Role.VIEWER};
    private static final Duration CANCEL_WAIT = Duration.ofSeconds(1);
    private static final Duration LOOK = Duration.ofMillis(20);

    private final Executions executions;
    private final TaskRoutes.Reading reading;
    private final OpenedLogs logs;
    private final InstantSource time;

    ExecutionRoutes(Executions executions, TaskRoutes.Reading reading, OpenedLogs logs, InstantSource time) {
        this.executions = executions;
        this.logs = logs;
        this.reading = reading;
        this.time = time;
    }

    @Override
    public List<Route> all() {
        return List.of(
                Route.get("/api/v1/executions", "listExecutions")
                        .about("Executions", "List the executions you may see, newest first")
                        .roles(READERS)
                        .scope(Scope.EXECUTIONS_READ)
                        .query(ListQuery.EXECUTION_PARAMETERS)
                        .answers(200, "ExecutionPage")
                        .handler(this::list),
                Route.get("/api/v1/executions/{id}", "getExecution")
                        .about("Executions", "Get an execution; its task's owner and admins see the result")
                        .roles(READERS)
                        .scope(Scope.EXECUTIONS_READ)
                        .answers(200, "Execution")
                        .handler(this::get),
                Route.post("/api/v1/executions/{id}:cancel", "cancelExecution")
                        .about("Executions", "Cancel: 200 when it is over within a second, else 202")
                        .roles(Role.SCHEDULER, Role.OPERATOR)
                        .scope(Scope.EXECUTIONS_CONTROL)
                        .answers(200, "Execution")
                        .answers(202, "Execution")
                        .dryRun(Route.Means.HANDLER)
                        .handler(this::cancel));
    }

    private Answer list(Call call) {
        var query = new ListQuery(call, reading.namespaces());
        List<ExecutionView> rows = executions.list(query.executions(), query.page(reading.cursors()));
        return page(call, query, reading.cursors(), new Page(rows, reading.json()::execution));
    }

    /// Executions, up to one more than a page has, and how each is shown.
    record Page(List<ExecutionView> rows, Function<ExecutionView, Object> shown) {}

    /// A page of executions, those left out that the caller may not see.
    static Answer page(Call call, ListQuery query, Cursors cursors, Page page) {
        return Answer.json(
                200,
                cursors.page(
                        page.rows,
                        Cursors.limit(call),
                        query.name(),
                        new Cursors.View<>(ExecutionView::id, page.shown, execution -> isVisible(call, execution))));
    }

    private Answer get(Call call) {
        ExecutionView execution = find(call);
        Map<String, @Nullable Object> view = reading.json().execution(execution);
        if (AccessPolicy.decide(call.caller(), Action.READ_RESULT, target(execution)) instanceof Verdict.Allowed) {
            addOutcome(view, execution);
        }
        if (execution.startedAt() != null) {
            addProgress(call, view, execution);
        }
        return Answer.json(200, view);
    }

    private void addProgress(Call call, Map<String, @Nullable Object> view, ExecutionView execution) {
        logs.progress(execution).ifPresent(progress -> {
            view.put("progress", progress.millionths() / 1e6);
            if (AccessPolicy.decide(call.caller(), Action.READ_LOGS, target(execution)) instanceof Verdict.Allowed) {
                logs.message(execution, progress).ifPresent(message -> view.put("message", message));
            }
        });
    }

    private void addOutcome(Map<String, @Nullable Object> view, ExecutionView execution) {
        if (execution.state() == ExecutionView.State.SUCCEEDED) {
            view.put("result", reading.sealed().result(execution));
        } else if (execution.errorCode() != null && execution.finishedAt() != null) {
            Map<String, @Nullable Object> error = new LinkedHashMap<>();
            error.put("code", execution.errorCode());
            error.put("detail", reading.sealed().errorDetail(execution));
            view.put("error", error);
        }
    }

    private Answer cancel(Call call) {
        ExecutionView execution = find(call);
        Verdicts.require(AccessPolicy.decide(call.caller(), Action.CONTROL, target(execution)));
        if (call.isDryRun()) {
            if (execution.finishedAt() != null) {
                throw ended();
            }
            return Answer.json(200, reading.json().execution(execution));
        }
        AuditEvent event = AuditEvent.of(EventType.TASK_CANCELLED, "cancel", Result.SUCCESS, time.instant())
                .user(call.caller().id())
                .namespace(execution.namespace())
                .task(execution.taskId())
                .execution(execution.id())
                .with("ip_address", call.address())
                .with("request_id", call.requestId());
        return switch (executions.cancel(execution.id(), Events.of(event))) {
            case CommandResult.Accepted() -> {
                ExecutionView now = awaitEnd(call, execution);
                yield Answer.json(
                        now.finishedAt() == null ? 202 : 200, reading.json().execution(now));
            }
            case CommandResult.Absent() -> throw new ProblemException(Problem.notFound());
            case CommandResult.Finished() -> throw ended();
        };
    }

    private static ProblemException ended() {
        return new ProblemException(Code.CONFLICT, "The execution has ended, so there is nothing to cancel.");
    }

    private ExecutionView awaitEnd(Call call, ExecutionView execution) {
        long deadline = System.nanoTime() + CANCEL_WAIT.toNanos();
        ExecutionView now = execution;
        while (now.finishedAt() == null && System.nanoTime() < deadline) {
            LockSupport.parkNanos(LOOK.toNanos());
            now = find(call);
        }
        return now;
    }

    private ExecutionView find(Call call) {
        ExecutionView execution = executions
                .get(call.id("id", Kind.EXECUTION))
                .orElseThrow(() -> new ProblemException(Problem.notFound()));
        Verdicts.require(AccessPolicy.decide(call.caller(), Action.READ, target(execution)));
        return execution;
    }

    private static boolean isVisible(Call call, ExecutionView execution) {
        return AccessPolicy.decide(call.caller(), Action.READ, target(execution)) instanceof Verdict.Allowed;
    }

    static AccessPolicy.Target target(ExecutionView execution) {
        return new AccessPolicy.Target(execution.owner(), execution.namespace(), execution.handler());
    }
}
