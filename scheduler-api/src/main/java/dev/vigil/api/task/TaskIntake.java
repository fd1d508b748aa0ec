package dev.vigil.api.task;

import dev.vigil.api.access.AccessPolicy;
import dev.vigil.api.vault.Handlers;
import dev.vigil.api.vault.PayloadSealer;
import dev.vigil.api.vault.Place;
import dev.vigil.api.vault.SubjectUnderErasureException;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Caller;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.FieldError;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.UuidV7;
import dev.vigil.scheduler.task.CreateResult;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.Limits;
import dev.vigil.scheduler.task.NewTask;
import dev.vigil.scheduler.task.TaskDraft;
import dev.vigil.scheduler.task.TaskView;
import dev.vigil.scheduler.task.Tasks;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.UUID;

/// Takes a task in: handler known, caller allowed, payload sealed, then stored. Plaintext ends here.
final class TaskIntake {
    private final Tasks tasks;
    private final Handlers handlers;
    private final PayloadSealer sealer;
    private final InstantSource time;

    TaskIntake(Tasks tasks, Handlers handlers, PayloadSealer sealer, InstantSource time) {
        this.tasks = tasks;
        this.handlers = handlers;
        this.sealer = sealer;
        this.time = time;
    }

    /// Stores a task of the caller.
    ///
    /// @throws ProblemException 403, 409, 422 or 429
    TaskView create(TaskBody body, Call call) {
        Caller caller = call.caller();
        TaskDraft draft = body.draft();
        String priority = draft.priority().name().toLowerCase(Locale.ROOT);
        Verdicts.require(AccessPolicy.create(
                caller, new AccessPolicy.Wish(draft.schedule().type(), priority, draft.handler())));
        requireHandler(draft.handler());
        UUID id = UuidV7.next();
        TaskDraft.Sealed sealed = seal(body, new Place(id, caller.namespace(), 1, draft.handler()));
        var task = new NewTask(
                id,
                caller.namespace(),
                caller.id(),
                draft,
                sealed,
                new Limits(caller.permissions().maxTasks()),
                Events.of(created(call, id, draft, sealed)));
        return switch (tasks.create(task)) {
            case CreateResult.Created(TaskView made) -> made;
            case CreateResult.AlreadyExists _ ->
                throw new IllegalStateException("the new id " + id + " was there already");
            case CreateResult.OverQuota(long used, int limit) ->
                throw new ProblemException(
                        Code.QUOTA_EXCEEDED,
                        "You have " + used + " of " + limit
                                + " unfinished tasks; delete some, or ask an admin for more.");
            case CreateResult.Refused(String pointer, String code, String detail, String hint) ->
                throw new ProblemException(Problem.invalid(List.of(new FieldError(pointer, code, detail, hint))));
        };
    }

    private void requireHandler(String name) {
        if (handlers.find(name).isEmpty()) {
            String hint = handlers.names().isEmpty()
                    ? "an admin registers handlers, another one approves them"
                    : "use an approved one; GET /api/v1/handlers lists them";
            throw new ProblemException(Problem.invalid(
                    List.of(new FieldError("/handler", "unknown_handler", "is not an approved handler", hint))));
        }
    }

    private TaskDraft.Sealed seal(TaskBody body, Place place) {
        try {
            return sealer.seal(place, body.payload(), body.subject());
        } catch (SubjectUnderErasureException e) {
            throw new ProblemException(
                    Code.CONFLICT, "This subject's data is being erased; wait until the request is done.");
        }
    }

    private AuditEvent created(Call call, UUID id, TaskDraft draft, TaskDraft.Sealed sealed) {
        AuditEvent event = AuditEvent.of(EventType.TASK_CREATED, "create", Result.SUCCESS, time.instant())
                .user(call.caller().id())
                .namespace(call.caller().namespace())
                .task(id)
                .with("handler", draft.handler())
                .with("type", draft.schedule().type())
                .with("ip_address", call.address())
                .with("request_id", call.requestId());
        byte[] subject = sealed.subjectIndex();
        return subject == null ? event : event.subject(HexFormat.of().formatHex(subject));
    }
}
