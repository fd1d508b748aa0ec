package dev.vigil.api.task;

import dev.vigil.api.access.AccessPolicy;
import dev.vigil.api.access.AccessPolicy.Action;
import dev.vigil.api.web.Accounts;
import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.FieldError;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Role;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.api.web.Scope;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.scheduler.execution.ExecutionFilter;
import dev.vigil.scheduler.execution.ExecutionView;
import dev.vigil.scheduler.execution.ExecutionView.State;
import dev.vigil.scheduler.execution.Executions;
import dev.vigil.scheduler.execution.Explanation;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.Limits;
import dev.vigil.scheduler.task.RetryResult;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// Says why an execution does not run, and runs it once more.
final class ExecutionCommandRoutes implements Routes {
    private static final Set<State> RETRYABLE = EnumSet.of(State.FAILED, State.TIMED_OUT, State.CANCELLED);

    private final Executions executions;
    private final TaskRoutes.Reading reading;
    private final TaskJson json;
    private final Accounts accounts;
    private final InstantSource time;

    ExecutionCommandRoutes(Executions executions, TaskRoutes.Reading reading, Accounts accounts, InstantSource time) {
        this.executions = executions;
        this.reading = reading;
        this.json = reading.json();
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
                        .handler(this::retry),
                Route.post("/api/v1/executions:retry", "retryExecutions")
                        .about(
                                "Executions",
                                "Run once more what failed, a page of the list with these filters at a time")
                        .roles(Role.SCHEDULER, Role.OPERATOR, Role.EXECUTOR)
                        .scope(Scope.EXECUTIONS_CONTROL)
                        .query(ListQuery.EXECUTION_PARAMETERS)
                        .answers(200, "RetryPage")
                        .dryRun(Route.Means.HANDLER)
                        .handler(this::retryAll));
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
        retry(call, execution);
        return Answer.json(202, json.execution(call.isDryRun() ? execution : find(call)));
    }

    /// A page of the list of executions: each is tried again, or says why not. What is open again leaves the list of
    /// its state, so a page that was answered is not met twice.
    private Answer retryAll(Call call) {
        var query = new ListQuery(call, reading.namespaces());
        ExecutionFilter filter = query.executions();
        if (filter.state() == null || !RETRYABLE.contains(filter.state())) {
            throw new ProblemException(Problem.invalid(List.of(new FieldError(
                    "state", "not_in_list", "names what is tried again", "use failed, timed_out or cancelled"))));
        }
        List<ExecutionView> rows = executions.list(filter, query.page(reading.cursors()));
        return ExecutionRoutes.page(
                call, query, reading.cursors(), new ExecutionRoutes.Page(rows, execution -> outcome(call, execution)));
    }

    private Map<String, Object> outcome(Call call, ExecutionView execution) {
        var outcome = new LinkedHashMap<String, Object>();
        outcome.put("id", new Id(Kind.EXECUTION, execution.id()).toString());
        try {
            retry(call, execution);
            outcome.put("retried", true);
        } catch (ProblemException refusal) {
            outcome.put("retried", false);
            outcome.put("code", refusal.problem().code().label());
            outcome.put("detail", refusal.problem().detail());
        }
        return outcome;
    }

    /// Tries one again, or would.
    ///
    /// @throws ProblemException why not
    private void retry(Call call, ExecutionView execution) {
        Verdicts.require(AccessPolicy.decide(call.caller(), Action.TRIGGER, ExecutionRoutes.target(execution)));
        AuditEvent event = AuditEvent.of(EventType.TASK_UPDATED, "retry", Result.SUCCESS, time.instant())
                .user(call.caller().id())
                .namespace(execution.namespace())
                .task(execution.taskId())
                .execution(execution.id())
                .with("ip_address", call.address())
                .with("request_id", call.requestId());
        var limits = new Limits(accounts.permissionsOf(execution.owner()).maxTasks(), null);
        switch (call.isDryRun()
                ? executions.tryRetry(execution.id(), limits, Events.of(event))
                : executions.retry(execution.id(), limits, Events.of(event))) {
            case RetryResult.Retried() -> {}
            case RetryResult.Absent() -> throw new ProblemException(Problem.notFound());
            case RetryResult.Open() ->
                throw new ProblemException(Code.CONFLICT, "The execution has not ended; cancel it first, or wait.");
            case RetryResult.NotRetryable() ->
                throw new ProblemException(
                        Code.CONFLICT, "The execution succeeded or was skipped; trigger its task to run it again.");
            case RetryResult.TaskGone() ->
                throw new ProblemException(Code.CONFLICT, "The execution's task has been deleted; create a new one.");
            case RetryResult.Paused() ->
                throw new ProblemException(Code.CONFLICT, "The task is paused, and a paused task runs nothing.");
            case RetryResult.OverQuota(long used, int limit) -> throw TaskIntake.overQuota(used, limit);
        }
    }

    private ExecutionView find(Call call) {
        ExecutionView execution = executions
                .get(call.id("id", Kind.EXECUTION))
                .orElseThrow(() -> new ProblemException(Problem.notFound()));
        Verdicts.require(AccessPolicy.decide(call.caller(), Action.READ, ExecutionRoutes.target(execution)));
        return execution;
    }
}
