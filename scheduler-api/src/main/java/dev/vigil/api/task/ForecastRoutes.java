package dev.vigil.api.task;

import dev.vigil.api.access.AccessPolicy;
import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.FieldError;
import dev.vigil.api.web.Fields;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Role;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.api.web.Scope;
import dev.vigil.protocol.id.Kind;
import dev.vigil.scheduler.task.Fires;
import dev.vigil.scheduler.task.Schedule;
import dev.vigil.scheduler.task.TaskView;
import dev.vigil.scheduler.task.Tasks;
import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;

/// When something would fire, before it is created or while it waits. Stores nothing.
final class ForecastRoutes implements Routes {
    private static final int COUNT_DEFAULT = 10;
    private static final int COUNT_MAX = 100;
    private static final Role[] READERS = {Role.SCHEDULER, Role.OPERATOR, Role.EXECUTOR, Role.VIEWER};

    private final Tasks tasks;
    private final InstantSource time;

    ForecastRoutes(Tasks tasks, InstantSource time) {
        this.tasks = tasks;
        this.time = time;
    }

    @Override
    public List<Route> all() {
        return List.of(
                Route.post("/api/v1/schedules:preview", "previewSchedule")
                        .about("Tasks", "When a schedule would fire; nothing is stored")
                        .roles(READERS)
                        .scope(Scope.TASKS_READ)
                        .body("PreviewRequest")
                        .answers(200, "Preview")
                        .handler(this::preview),
                Route.get("/api/v1/tasks/{id}/forecast", "forecastTask")
                        .about("Tasks", "When a task fires next")
                        .roles(READERS)
                        .scope(Scope.TASKS_READ)
                        .query("n")
                        .answers(200, "Forecast")
                        .handler(this::forecast));
    }

    private Answer preview(Call call) throws IOException {
        Instant now = time.instant();
        Fields fields = call.json();
        Optional<Fields> schedule = fields.object("schedule");
        Optional<ScheduleBody> body = schedule.map(inner -> ScheduleBody.read(inner, now));
        if (schedule.isEmpty()) {
            fields.missing("schedule", "");
        }
        Instant from = fields.instant("from").orElse(now);
        int count = fields.integer("count", 1, COUNT_MAX).orElse(COUNT_DEFAULT);
        if (body.isPresent() && body.get().schedule() instanceof Schedule.Cron cron && neverFires(cron, from)) {
            fields.refuse("schedule", "never_fires", "has a cron that never fires", "use a day that exists");
        }
        fields.finish();
        return Answer.json(200, new Forecast(body.orElseThrow().schedule(), now).preview(from, count));
    }

    private static boolean neverFires(Schedule.Cron cron, Instant from) {
        try {
            return Fires.next(cron, from).isEmpty();
        } catch (IllegalArgumentException e) {
            // The expression itself is wrong, which was noted where it was read.
            return false;
        }
    }

    private Answer forecast(Call call) {
        TaskView task = tasks.get(call.id("id", Kind.TASK)).orElseThrow(() -> new ProblemException(Problem.notFound()));
        var target = new AccessPolicy.Target(
                task.owner(), task.namespace(), task.draft().handler());
        Verdicts.require(AccessPolicy.decide(call.caller(), AccessPolicy.Action.READ, target));
        String n = call.query("n").orElse(Integer.toString(COUNT_DEFAULT));
        if (!n.matches("[1-9][0-9]?|100")) {
            throw new ProblemException(Problem.invalid(
                    List.of(new FieldError("n", "range", "is outside the range", "use 1 to " + COUNT_MAX))));
        }
        Instant now = time.instant();
        boolean over = task.state() == TaskView.State.FINISHED;
        int count = over ? 0 : Integer.parseInt(n);
        return Answer.json(200, new Forecast(task.draft().schedule(), task.createdAt()).fires(now, count));
    }
}
