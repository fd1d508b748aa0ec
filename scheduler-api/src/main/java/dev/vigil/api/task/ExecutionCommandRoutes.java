package dev.vigil.api.task;

import dev.vigil.api.access.AccessPolicy;
import dev.vigil.api.access.AccessPolicy.Action;
import dev.vigil.api.web.Accounts;
import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Code;
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
import dev.vigil.scheduler.execution.Explanation;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.Limits;
import dev.vigil.scheduler.task.RetryResult;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Says why an execution does not run, and runs it once more.
final class ExecutionCommandRoutes implements Routes {
    private final Executions executions;
    private final TaskJson json;
    private final Accounts accounts;
    private final InstantSource time;

    ExecutionCommandRoutes(Executions executions, TaskJson json, Accounts accounts, InstantSource time) {
        this.executions = executions;
        this.json = json;
        this.accounts = accounts;
        this.time = time;
    }

    @Override
    public List<Route> all() {
        return List.of(
                Route.get("/api/v1/executions/{id}/explain", "explainExecution")
                        .about("Executions", "Why an execution is not running")
                        .roles(Role.SCHEDULER, Role.OPERATOR, Role.EXECUTOR, Role.VIEWER)
                        .scope(Scope.EXECUTIONS_READ)
                        .answers(200, "Explanation")
                        .handler(this::explain),
                Route.post("/api/v1/executions/{id}:retry", "retryExecution")
                        .about("Executions", "Run a failed execution once more; its attempts are numbered on")
                        .roles(Role.SCHEDULER, Role.OPERATOR, Role.EXECUTOR)
                        .scope(Scope.EXECUTIONS_CONTROL)
                        .answers(202, "Execution")
                        .dryRun(Route.Means.HANDLER)
                        .handler(this::retry));
    }

    private Answer explain(Call call) {
        ExecutionView execution = find(call);
        Explanation explanation =
                executions.explain(execution.id()).orElseThrow(() -> new ProblemException(Problem.notFound()));
        return Answer.json(
                200,
                Map.of("state", explanation.state().name().toLowerCase(Locale.ROOT), "reasons", explanation.reasons()));
    }

    private Answer retry(Call call) {
        ExecutionView execution = find(call);
        Verdicts.require(AccessPolicy.decide(call.caller(), Action.TRIGGER, ExecutionRoutes.target(execution)));
        if (call.isDryRun()) {
            switch (execution.state()) {
                case FAILED, TIMED_OUT, CANCELLED -> {}
                case SUCCEEDED, SKIPPED -> throw notRetryable();
                case WAITING, HELD, QUEUED, RUNNING -> throw open();
            }
            return Answer.json(202, json.execution(execution));
        }
        AuditEvent event = AuditEvent.of(EventType.TASK_UPDATED, "retry", Result.SUCCESS, time.instant())
                .user(call.caller().id())
                .namespace(execution.namespace())
                .task(execution.taskId())
                .execution(execution.id())
                .with("ip_address", call.address())
                .with("request_id", call.requestId());
        return switch (executions.retry(
                execution.id(),
                new Limits(accounts.permissionsOf(execution.owner()).maxTasks(), null),
                Events.of(event))) {
            case RetryResult.Retried() -> Answer.json(202, json.execution(find(call)));
            case RetryResult.Absent() -> throw new ProblemException(Problem.notFound());
            case RetryResult.Open() -> throw open();
            case RetryResult.NotRetryable() -> throw notRetryable();
            case RetryResult.TaskGone() ->
                throw new ProblemException(Code.CONFLICT, "The execution's task has been deleted; create a new one.");
            case RetryResult.Paused() ->
                throw new ProblemException(Code.CONFLICT, "The task is paused, and a paused task runs nothing.");
            case RetryResult.OverQuota(long used, int limit) -> throw TaskIntake.overQuota(used, limit);
        };
    }

    private static ProblemException open() {
        return new ProblemException(Code.CONFLICT, "The execution has not ended; cancel it first, or wait.");
    }

    private static ProblemException notRetryable() {
        return new ProblemException(
                Code.CONFLICT, "The execution succeeded or was skipped; trigger its task to run it again.");
    }

    private ExecutionView find(Call call) {
        ExecutionView execution = executions
                .get(call.id("id", Kind.EXECUTION))
                .orElseThrow(() -> new ProblemException(Problem.notFound()));
        Verdicts.require(AccessPolicy.decide(call.caller(), Action.READ, ExecutionRoutes.target(execution)));
        return execution;
    }
}
