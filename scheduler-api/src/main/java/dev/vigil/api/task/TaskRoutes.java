package dev.vigil.api.task;

import dev.vigil.api.access.AccessPolicy.Action;
import dev.vigil.api.access.AccessPolicy.Verdict;
import dev.vigil.api.access.Namespaces;
import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.Cursors;
import dev.vigil.api.web.FieldError;
import dev.vigil.api.web.IfMatch;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Role;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.api.web.Scope;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.scheduler.task.CommandResult;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.TaskView;
import dev.vigil.scheduler.task.Tasks;
import java.io.IOException;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Tasks: create, read, delete, pause and resume.
final class TaskRoutes implements Routes {
    private static final Role[] READERS = {Role.SCHEDULER, Role.OPERATOR, Role.EXECUTOR, Role.VIEWER};

    private final Tasks tasks;
    private final TaskIntake intake;
    private final Reading reading;
    private final FoundTasks found;
    private final InstantSource time;

    /// What reading needs.
    record Reading(TaskJson json, SealedViews sealed, Cursors cursors, Namespaces namespaces) {}

    TaskRoutes(Tasks tasks, TaskIntake intake, Reading reading, InstantSource time) {
        this.tasks = tasks;
        this.intake = intake;
        this.reading = reading;
        this.found = new FoundTasks(tasks, time);
        this.time = time;
    }

    @Override
    public List<Route> all() {
        return List.of(
                Route.post("/api/v1/tasks", "createTask")
                        .about("Tasks", "Create a task")
                        .roles(Role.SCHEDULER)
                        .scope(Scope.TASKS_WRITE)
                        .body("NewTask")
                        .answers(201, "Task")
                        .creates(Route.Means.HANDLER)
                        .dryRun(Route.Means.HANDLER)
                        .bodyMax(TaskBody.BODY_BYTES_MAX)
                        .handler(this::create),
                Route.get("/api/v1/tasks", "listTasks")
                        .about("Tasks", "List the tasks you may see, newest first")
                        .roles(READERS)
                        .scope(Scope.TASKS_READ)
                        .query(ListQuery.TASK_PARAMETERS)
                        .answers(200, "TaskPage")
                        .handler(this::list),
                Route.get("/api/v1/tasks/{id}", "getTask")
                        .about("Tasks", "Get a task; its owner and admins may include the payload, which is audited")
                        .roles(READERS)
                        .scope(Scope.TASKS_READ)
                        .query("include")
                        .answers(200, "Task")
                        .handler(this::get),
                Route.delete("/api/v1/tasks/{id}", "deleteTask")
                        .about("Tasks", "Delete a task; needs If-Match")
                        .roles(Role.SCHEDULER)
                        .scope(Scope.TASKS_WRITE)
                        .answers(204, "")
                        .dryRun(Route.Means.HANDLER)
                        .handler(this::delete),
                Route.post("/api/v1/tasks/{id}:pause", "pauseTask")
                        .about("Tasks", "Hold every dispatch of a task from the answer on")
                        .roles(Role.SCHEDULER, Role.OPERATOR)
                        .scope(Scope.TASKS_WRITE)
                        .answers(200, "Task")
                        .dryRun(Route.Means.HANDLER)
                        .handler(call -> command(call, EventType.TASK_PAUSED)),
                Route.post("/api/v1/tasks/{id}:resume", "resumeTask")
                        .about("Tasks", "Let a paused task go on")
                        .roles(Role.SCHEDULER, Role.OPERATOR)
                        .scope(Scope.TASKS_WRITE)
                        .answers(200, "Task")
                        .dryRun(Route.Means.HANDLER)
                        .handler(call -> command(call, EventType.TASK_RESUMED)));
    }

    private Answer create(Call call) throws IOException {
        TaskBody body =
                TaskBody.read(call.json(TaskBody.BODY_BYTES_MAX, "payload"), time.instant(), intake::longestTimeout);
        if (call.isDryRun()) {
            Map<String, @Nullable Object> view = reading.json.task(intake.rehearse(body, call));
            view.remove("id");
            return Answer.json(200, view);
        }
        TaskView made = intake.create(body, call);
        Map<String, @Nullable Object> view = reading.json.task(made);
        return Answer.json(201, view)
                .header("Location", "/api/v1/tasks/" + view.get("id"))
                .header("ETag", IfMatch.etag(made.version()));
    }

    private Answer list(Call call) {
        var query = new ListQuery(call, reading.namespaces);
        List<TaskView> rows = tasks.list(query.tasks(), query.page(reading.cursors));
        Map<String, Object> page = reading.cursors.page(
                rows,
                Cursors.limit(call),
                query.name(),
                new Cursors.View<>(
                        TaskView::id,
                        reading.json::task,
                        task -> FoundTasks.verdict(call.caller(), Action.READ, task) instanceof Verdict.Allowed));
        return Answer.json(200, page);
    }

    private Answer get(Call call) {
        boolean opened = call.query("include").orElse("").equals("payload");
        TaskView task = found.find(call, opened ? Action.READ_PAYLOAD : Action.READ);
        Map<String, @Nullable Object> view = reading.json.task(task);
        String include = call.query("include").orElse("");
        if (opened) {
            view.put("payload", reading.sealed.payload(task, call));
        } else if (!include.isEmpty()) {
            throw new ProblemException(Problem.invalid(
                    List.of(new FieldError("include", "not_in_list", "cannot be included", "use payload"))));
        }
        return Answer.json(200, view).header("ETag", IfMatch.etag(task.version()));
    }

    private Answer delete(Call call) {
        TaskView task = found.find(call, Action.CHANGE);
        IfMatch.require(call, task.version(), "The task");
        if (call.isDryRun()) {
            return Answer.empty(204);
        }
        return switch (tasks.delete(task.ref(), Events.of(found.event(call, EventType.TASK_DELETED, "delete", task)))) {
            case CommandResult.Accepted(), CommandResult.Finished() -> Answer.empty(204);
            case CommandResult.Absent() -> throw new ProblemException(Problem.notFound());
        };
    }

    private Answer command(Call call, EventType type) {
        TaskView task = found.find(call, Action.CONTROL);
        if (call.isDryRun()) {
            if (task.state() == TaskView.State.FINISHED) {
                throw finished();
            }
            return Answer.json(200, reading.json.task(task));
        }
        Events events = Events.of(found.event(call, type, type == EventType.TASK_PAUSED ? "pause" : "resume", task));
        CommandResult result =
                type == EventType.TASK_PAUSED ? tasks.pause(task.ref(), events) : tasks.resume(task.ref(), events);
        return switch (result) {
            case CommandResult.Accepted() -> {
                TaskView now = found.find(call, Action.READ);
                yield Answer.json(200, reading.json.task(now)).header("ETag", IfMatch.etag(now.version()));
            }
            case CommandResult.Absent() -> throw new ProblemException(Problem.notFound());
            case CommandResult.Finished() -> throw finished();
        };
    }

    private static ProblemException finished() {
        return new ProblemException(
                Code.CONFLICT, "The task is finished, so there is nothing to pause or resume; create a new one.");
    }
}
