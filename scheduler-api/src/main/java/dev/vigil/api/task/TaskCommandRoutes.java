package dev.vigil.api.task;

import dev.vigil.api.access.AccessPolicy;
import dev.vigil.api.access.AccessPolicy.Action;
import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.FieldError;
import dev.vigil.api.web.IfMatch;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Role;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.api.web.Scope;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.Fires;
import dev.vigil.scheduler.task.Patch;
import dev.vigil.scheduler.task.PatchResult;
import dev.vigil.scheduler.task.TaskView;
import dev.vigil.scheduler.task.Tasks;
import dev.vigil.scheduler.task.TriggerResult;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// Changes a task, and runs it out of turn.
final class TaskCommandRoutes implements Routes {
    /// How often a change of whatever version there is begins anew when another change comes between.
    private static final int TRIES = 5;

    private final Tasks tasks;
    private final TaskPatch patches;
    private final FoundTasks found;
    private final TaskJson json;

    TaskCommandRoutes(Tasks tasks, TaskPatch patches, FoundTasks found, TaskJson json) {
        this.tasks = tasks;
        this.patches = patches;
        this.found = found;
        this.json = json;
    }

    @Override
    public List<Route> all() {
        return List.of(
                Route.patch("/api/v1/tasks/{id}", "updateTask")
                        .about("Tasks", "Change a task by a merge patch; needs If-Match")
                        .roles(Role.SCHEDULER)
                        .scope(Scope.TASKS_WRITE)
                        .body("TaskPatch")
                        .answers(200, "Task")
                        .dryRun(Route.Means.HANDLER)
                        .bodyMax(TaskBody.BODY_BYTES_MAX)
                        .handler(this::patch),
                Route.post("/api/v1/tasks/{id}:trigger", "triggerTask")
                        .about("Tasks", "Run a task now")
                        .roles(Role.SCHEDULER, Role.OPERATOR, Role.EXECUTOR)
                        .scope(Scope.EXECUTIONS_CONTROL)
                        .answers(202, "Triggered")
                        .creates(Route.Means.HANDLER)
                        .dryRun(Route.Means.HANDLER)
                        .handler(this::trigger));
    }

    private Answer patch(Call call) throws IOException {
        for (int tries = 0; tries < TRIES; tries++) {
            TaskView task = found.find(call, Action.CHANGE);
            IfMatch.require(call, task.version(), "The task");
            if (task.state() == TaskView.State.FINISHED) {
                throw finished();
            }
            Patch patch = patches.read(call, task);
            if (call.isDryRun()) {
                return rehearsed(task, patch);
            }
            switch (tasks.patch(task.ref(), patch)) {
                case PatchResult.Patched(TaskView now) -> {
                    return Answer.json(200, json.task(now)).header("ETag", IfMatch.etag(now.version()));
                }
                case PatchResult.Stale _ when IfMatch.isAny(call) -> {
                    // Any version was meant: the change is made of the one there is now.
                }
                case PatchResult.Stale _ -> throw IfMatch.stale("The task");
                case PatchResult.Absent() -> throw new ProblemException(Problem.notFound());
                case PatchResult.Finished() -> throw finished();
                case PatchResult.Refused(String pointer, String code, String detail, String hint) ->
                    throw new ProblemException(Problem.invalid(List.of(new FieldError(pointer, code, detail, hint))));
            }
        }
        throw new ProblemException(Code.CONFLICT, "The task is being changed by others all the time; try again.");
    }

    private Answer rehearsed(TaskView task, Patch patch) {
        tasks.check(patch.draft()).ifPresent(refused -> {
            throw TaskIntake.refusal(refused);
        });
        boolean same = patch.draft().schedule().equals(task.draft().schedule());
        var next = new TaskView(
                task.id(),
                task.namespace(),
                task.owner(),
                task.version() + 1,
                patch.draft(),
                task.state(),
                same
                        ? task.nextFireAt()
                        : Fires.next(patch.draft().schedule(), task.createdAt()).orElse(null),
                task.createdAt(),
                task.keyId(),
                task.payloadVersion());
        return Answer.json(200, json.task(next));
    }

    private static ProblemException finished() {
        return new ProblemException(
                Code.CONFLICT, "The task is finished and will never run again; create a new one instead.");
    }

    private Answer trigger(Call call) {
        TaskView task = found.find(call, Action.TRIGGER);
        Verdicts.require(AccessPolicy.permit(call.caller(), FoundTasks.wish(task.draft())));
        if (call.isDryRun()) {
            return switch (task.state()) {
                case SCHEDULED -> Answer.json(202, Map.of());
                case PAUSED -> throw paused();
                case FINISHED -> throw ended();
            };
        }
        TriggerResult result = tasks.trigger(
                task.ref(),
                call.newId(0),
                execution -> Events.of(found.event(call, EventType.TASK_UPDATED, "trigger", task)
                        .execution(execution)));
        return switch (result) {
            case TriggerResult.Triggered(UUID execution) -> {
                String id = new Id(Kind.EXECUTION, execution).toString();
                yield Answer.json(202, Map.of("execution_id", id)).header("Location", "/api/v1/executions/" + id);
            }
            case TriggerResult.Absent() -> throw new ProblemException(Problem.notFound());
            case TriggerResult.Finished() -> throw ended();
            case TriggerResult.Paused() -> throw paused();
        };
    }

    private static ProblemException paused() {
        return new ProblemException(Code.CONFLICT, "The task is paused, and a paused task runs nothing; resume it.");
    }

    private static ProblemException ended() {
        return new ProblemException(
                Code.CONFLICT, "The task's only execution has ended; retry that one, or create a new task.");
    }
}
