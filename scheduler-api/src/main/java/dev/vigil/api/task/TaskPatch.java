package dev.vigil.api.task;

import dev.vigil.api.access.AccessPolicy;
import dev.vigil.api.vault.Opened;
import dev.vigil.api.vault.PayloadSealer;
import dev.vigil.api.vault.Place;
import dev.vigil.api.vault.SubjectUnderErasureException;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.FieldError;
import dev.vigil.api.web.Fields;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.Patch;
import dev.vigil.scheduler.task.Schedule;
import dev.vigil.scheduler.task.TaskDraft;
import dev.vigil.scheduler.task.TaskView;
import dev.vigil.scheduler.task.Tasks;
import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Makes a task's next version of a merge patch (RFC 7396) and the version it has. The payload is one value: it is
/// replaced, never merged.
final class TaskPatch {
    private static final List<String> CHANGEABLE =
            List.of("name", "handler", "schedule", "priority", "timeout", "retry", "labels");

    private final Tasks tasks;
    private final TaskIntake intake;
    private final Tools tools;

    /// What a patch needs besides.
    record Tools(PayloadSealer sealer, TaskJson json, FoundTasks found, InstantSource time) {}

    TaskPatch(Tasks tasks, TaskIntake intake, Tools tools) {
        this.tasks = tasks;
        this.intake = intake;
        this.tools = tools;
    }

    /// The next version of a task, checked as a new task is; sealed unless it is a dry run.
    ///
    /// @throws ProblemException 400, 403, 409, 413, 415 or 422
    Patch read(Call call, TaskView task) throws IOException {
        Fields patch = call.json(TaskBody.BODY_BYTES_MAX, "payload");
        refuseImmutable(patch, task);
        boolean given = patch.raw().isPresent();
        // A limit that came later is none for what leaves the timeout as it is.
        boolean timed = patch.has("timeout") || patch.has("handler");
        TaskBody.Timeouts timeouts = timed ? intake::longestTimeout : TaskBody.Timeouts.ANY;
        TaskBody body = TaskBody.changed(patch.over(current(task, patch)), tools.time.instant(), timeouts);
        TaskDraft draft = body.draft().after(task.draft().after());
        Verdicts.require(AccessPolicy.permit(call.caller(), FoundTasks.wish(draft)));
        boolean moved = !draft.handler().equals(task.draft().handler());
        byte[] payload = given ? body.payload() : moved ? opened(task) : null;
        if (payload != null) {
            intake.requireFit(draft.handler(), payload);
        }
        TaskDraft.Sealed sealed = null;
        if (payload != null) {
            var place = new Place(task.id(), task.namespace(), task.payloadVersion() + 1, draft.handler());
            if (call.isDryRun()) {
                tools.sealer.check(place, payload);
            } else {
                sealed = seal(place, task, payload);
            }
        }
        AuditEvent event = tools.found
                .event(call, EventType.TASK_UPDATED, "update", task)
                .with("version", (long) task.version() + 1)
                .with("handler", draft.handler())
                .with("payload_changed", payload != null);
        return new Patch(task.version(), draft, sealed, Events.of(event));
    }

    private static void refuseImmutable(Fields patch, TaskView task) {
        if (patch.has("after")) {
            throw new ProblemException(Problem.invalid(List.of(new FieldError(
                    "/after", "immutable", "cannot be changed", "create another task that comes after others"))));
        }
        if (patch.has("subject")) {
            throw new ProblemException(Problem.invalid(List.of(new FieldError(
                    "/subject", "immutable", "cannot be changed", "create another task for another subject"))));
        }
        Fields schedule = patch.object("schedule").orElse(null);
        String type = task.draft().schedule().type();
        if (schedule != null && schedule.has("type") && !schedule.isText("type", type)) {
            throw new ProblemException(Problem.invalid(List.of(new FieldError(
                    "/schedule/type", "immutable", "cannot be changed", "keep " + type + ", or create another task"))));
        }
    }

    /// What the patch is laid over: the members that may change, exactly as they are stored.
    private Map<String, @Nullable Object> current(TaskView task, Fields patch) {
        Map<String, @Nullable Object> view = tools.json.task(task);
        view.keySet().retainAll(CHANGEABLE);
        if (task.draft().schedule() instanceof Schedule.OneTime(Instant at)
                && view.get("schedule") instanceof Map<?, ?> shown) {
            Map<String, @Nullable Object> schedule = new LinkedHashMap<>();
            shown.forEach((name, value) -> schedule.put(String.valueOf(name), value));
            boolean delayed =
                    patch.object("schedule").map(wanted -> wanted.has("delay")).orElse(false);
            schedule.put("at", at == null || delayed ? null : at.toString());
            view.put("schedule", schedule);
        }
        return view;
    }

    private byte[] opened(TaskView task) {
        var place = new Place(
                task.id(), task.namespace(), task.payloadVersion(), task.draft().handler());
        byte[] sealed = tasks.payload(task.ref()).orElseThrow(() -> new ProblemException(Problem.notFound()));
        return switch (tools.sealer.open(place, place.payload(task.keyId()), sealed)) {
            case Opened.Plain(byte[] bytes) -> bytes;
            case Opened.Erased() -> throw TaskIntake.underErasure();
            case Opened.Broken() ->
                throw new ProblemException(
                        Code.INTERNAL_ERROR,
                        "The stored payload does not open: it was changed outside of this system; send a new one.");
        };
    }

    private TaskDraft.Sealed seal(Place place, TaskView task, byte[] payload) {
        try {
            return tools.sealer.sealNext(
                    place, payload, tasks.subjectIndex(task.ref()).orElse(null));
        } catch (SubjectUnderErasureException e) {
            throw TaskIntake.underErasure();
        }
    }
}
