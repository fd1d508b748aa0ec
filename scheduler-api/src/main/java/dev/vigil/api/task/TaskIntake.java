package dev.vigil.api.task;

import dev.vigil.api.access.AccessPolicy;
import dev.vigil.api.vault.Handler;
import dev.vigil.api.vault.Handlers;
import dev.vigil.api.vault.InputSchemas;
import dev.vigil.api.vault.PayloadSealer;
import dev.vigil.api.vault.Place;
import dev.vigil.api.vault.SubjectUnderErasureException;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Caller;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.FieldError;
import dev.vigil.api.web.Nearest;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.protocol.audit.CreateEvent;
import dev.vigil.protocol.audit.Origin;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.scheduler.execution.Executions;
import dev.vigil.scheduler.task.CreateResult;
import dev.vigil.scheduler.task.Events;
import dev.vigil.scheduler.task.Fires;
import dev.vigil.scheduler.task.Limits;
import dev.vigil.scheduler.task.NewTask;
import dev.vigil.scheduler.task.OutboxProbe;
import dev.vigil.scheduler.task.Schedule;
import dev.vigil.scheduler.task.TaskDraft;
import dev.vigil.scheduler.task.TaskView;
import dev.vigil.scheduler.task.Tasks;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.dao.InvalidDataAccessResourceUsageException;

/// Takes a task in: handler known, caller allowed, payload sealed, then stored. Plaintext ends here.
final class TaskIntake {
    private static final Logger LOG = LoggerFactory.getLogger(TaskIntake.class);

    private static final Duration FREEING = Duration.ofSeconds(1);
    /// Before the second look; doubled for each one after it.
    private static final Duration LOOK = Duration.ofMillis(10);

    private final Tasks tasks;
    private final OutboxProbe audit;
    private final Handlers handlers;
    private final PayloadSealer sealer;
    private final InputSchemas schemas;
    private final Executions executions;
    private final InstantSource time;

    /// What a body is checked against.
    record Registry(Handlers handlers, InputSchemas schemas, Executions executions) {}

    /// Where tasks go, and whether their events can go with them.
    record Storage(Tasks tasks, OutboxProbe audit) {}

    TaskIntake(Storage storage, Registry registry, PayloadSealer sealer, InstantSource time) {
        this.tasks = storage.tasks;
        this.audit = storage.audit;
        this.handlers = registry.handlers;
        this.schemas = registry.schemas;
        this.executions = registry.executions;
        this.sealer = sealer;
        this.time = time;
    }

    /// Stores a task of the caller.
    ///
    /// @throws ProblemException 403, 409, 422 or 429
    TaskView create(TaskBody body, Call call) {
        check(body, call.caller());
        UUID id = call.newId(0);
        return made(stored(prepare(body, call, id)), call);
    }

    /// A deleted task counts no more from the answer on, but its room is free a moment later, when its core has
    /// carried the deletion out: a refusal waits for that.
    private CreateResult stored(NewTask task) {
        long deadline = System.nanoTime() + FREEING.toNanos();
        CreateResult result = tasks.create(task);
        boolean freeing = true;
        long pause = LOOK.toNanos();
        while (result instanceof CreateResult.OverQuota && freeing) {
            freeing = System.nanoTime() < deadline && tasks.isFreeing(task.namespace(), task.owner());
            if (freeing) {
                LockSupport.parkNanos(pause);
                pause *= 2;
            }
            result = tasks.create(task);
        }
        return result;
    }

    /// What [#create] would answer. Nothing is stored.
    ///
    /// @throws ProblemException as [#create] does
    TaskView rehearse(TaskBody body, Call call) {
        Caller caller = call.caller();
        check(body, caller);
        TaskDraft draft = body.draft();
        sealer.check(new Place(call.newId(0), caller.namespace(), 1, draft.handler()), body.payload());
        Instant now = time.instant();
        tasks.check(draft).ifPresent(refused -> {
            throw refusal(refused);
        });
        Integer limit = caller.permissions().maxTasks();
        if (limit != null) {
            long used = tasks.unfinished(caller.namespace(), caller.id());
            if (used >= limit) {
                throw overQuota(used, limit);
            }
        }
        Instant first = draft.schedule() instanceof Schedule.OneTime(Instant at)
                ? (at == null || at.isBefore(now) ? now : at)
                : Fires.next(draft.schedule(), now).orElse(null);
        return new TaskView(
                call.newId(0),
                caller.namespace(),
                caller.id(),
                1,
                draft,
                TaskView.State.SCHEDULED,
                first,
                now,
                new UUID(0, 0),
                1);
    }

    /// Whether the caller may have such a task, whether its handler is there and takes such a payload, and whether he
    /// may see what it comes after.
    ///
    /// @throws ProblemException 403 or 422
    void check(TaskBody body, Caller caller) {
        Verdicts.require(AccessPolicy.create(caller, FoundTasks.wish(body.draft())));
        requireFit(body.draft().handler(), body.payload());
        requireVisible(body.draft().after(), caller);
    }

    /// What is not there and what is somebody else's look the same.
    private void requireVisible(List<UUID> after, Caller caller) {
        var faults = new ArrayList<FieldError>();
        for (int i = 0; i < after.size(); i++) {
            boolean visible = executions
                    .get(after.get(i))
                    .filter(found -> found.namespace() == caller.namespace())
                    .map(found -> new AccessPolicy.Target(found.owner(), found.namespace(), found.handler()))
                    .filter(target -> AccessPolicy.decide(caller, AccessPolicy.Action.READ, target)
                            instanceof AccessPolicy.Verdict.Allowed)
                    .isPresent();
            if (!visible) {
                faults.add(new FieldError(
                        "/after/" + i,
                        "unknown",
                        "is no execution and no one_time task that you may see",
                        "of a task that fires again and again, name one of its executions"));
            }
        }
        if (!faults.isEmpty()) {
            throw new ProblemException(Problem.invalid(faults));
        }
    }

    /// A task of the caller that has been checked, sealed. Plaintext ends here.
    NewTask prepare(TaskBody body, Call call, UUID id) {
        Caller caller = call.caller();
        TaskDraft draft = body.draft();
        TaskDraft.Sealed sealed = seal(body, new Place(id, caller.namespace(), 1, draft.handler()));
        return new NewTask(
                id,
                caller.namespace(),
                caller.id(),
                draft,
                sealed,
                new Limits(caller.permissions().maxTasks(), caller.permissions().maxConcurrentExecutions()),
                Events.of(created(call, id, draft, sealed)));
    }

    /// Stores tasks that have been prepared, all together; when that fails by one of them, one by one.
    ///
    /// @return what went wrong, place by place; empty for a task that is stored. None is stored, and each is
    /// 503, when events cannot be written
    List<Optional<Problem>> store(List<NewTask> prepared) {
        try {
            return tasks.createAll(prepared).stream().map(TaskIntake::failure).toList();
        } catch (DataIntegrityViolationException | InvalidDataAccessResourceUsageException e) {
            if (!audit.writable()) {
                return Collections.nCopies(prepared.size(), Optional.of(Problem.auditUnavailable()));
            }
            LOG.warn("event=bulk_part_refused tasks={} stored one by one", prepared.size(), e);
            return prepared.stream().map(this::storeOne).toList();
        }
    }

    private Optional<Problem> storeOne(NewTask task) {
        try {
            return failure(tasks.create(task));
        } catch (DataIntegrityViolationException | InvalidDataAccessResourceUsageException e) {
            LOG.warn("event=task_refused task={}", new Id(Kind.TASK, task.id()), e);
            return Optional.of(
                    audit.writable()
                            ? Problem.invalid(List.of(new FieldError(
                                    "",
                                    "not_stored",
                                    "cannot be stored",
                                    "give the request_id to whoever runs this server")))
                            : Problem.auditUnavailable());
        }
    }

    private static Optional<Problem> failure(CreateResult result) {
        return switch (result) {
            case CreateResult.Created _, CreateResult.AlreadyExists _ -> Optional.empty();
            case CreateResult.OverQuota(long used, int limit) ->
                Optional.of(overQuota(used, limit).problem());
            case CreateResult.Refused refused -> Optional.of(refusal(refused).problem());
        };
    }

    private TaskView made(CreateResult result, Call call) {
        return switch (result) {
            case CreateResult.Created(TaskView made) -> made;
            case CreateResult.AlreadyExists(UUID id) -> existing(id, call);
            case CreateResult.OverQuota(long used, int limit) -> throw overQuota(used, limit);
            case CreateResult.Refused refused -> throw refusal(refused);
        };
    }

    /// The same call made it before, under the same key, and was cut off before its answer was remembered.
    private TaskView existing(UUID id, Call call) {
        if (!call.isKeyed()) {
            throw new IllegalStateException("the new id " + id + " was there already");
        }
        return tasks.get(id)
                .orElseThrow(() -> new ProblemException(
                        Code.CONFLICT, "The task that this Idempotency-Key stands for was deleted; use a new key."));
    }

    static ProblemException overQuota(long used, int limit) {
        return new ProblemException(
                Code.QUOTA_EXCEEDED,
                "You have " + used + " of " + limit + " unfinished tasks; delete some, or ask an admin for more.");
    }

    static ProblemException refusal(CreateResult.Refused refused) {
        return new ProblemException(Problem.invalid(
                List.of(new FieldError(refused.pointer(), refused.code(), refused.detail(), refused.hint()))));
    }

    /// How long an attempt of this handler may take, if it is known.
    Duration longestTimeout(String handler) {
        return handlers.find(handler).map(Handler::timeoutMax).orElseGet(() -> TaskBody.Timeouts.ANY.longest(handler));
    }

    /// @throws ProblemException 422 when no approved handler has that name, or the payload is none that it takes
    void requireFit(String name, byte[] payload) {
        Handler handler = handlers.find(name).orElseThrow(() -> unknown(name));
        String schema = handler.inputSchema();
        List<FieldError> faults = schema == null ? List.of() : schemas.faults(schema, payload);
        if (!faults.isEmpty()) {
            throw new ProblemException(Problem.invalid(faults));
        }
    }

    private ProblemException unknown(String name) {
        List<String> names = handlers.names();
        String hint = names.isEmpty()
                ? "an admin registers handlers, another one approves them"
                : Nearest.of(name, names)
                        .map(nearest -> "did you mean " + nearest + "?")
                        .orElse("use an approved one; GET /api/v1/handlers lists them");
        return new ProblemException(Problem.invalid(
                List.of(new FieldError("/handler", "unknown_handler", "is not an approved handler", hint))));
    }

    private TaskDraft.Sealed seal(TaskBody body, Place place) {
        try {
            return sealer.seal(place, body.payload(), body.subject());
        } catch (SubjectUnderErasureException e) {
            throw underErasure();
        }
    }

    static ProblemException underErasure() {
        return new ProblemException(
                Code.CONFLICT, "This subject's data is being erased; wait until the request is done.");
    }

    private CreateEvent created(Call call, UUID id, TaskDraft draft, TaskDraft.Sealed sealed) {
        Caller caller = call.caller();
        var made = new CreateEvent.Made(
                caller.namespace(),
                caller.id(),
                id,
                draft.handler(),
                draft.schedule().type());
        CreateEvent event = CreateEvent.of(time.instant(), made, new Origin(call.requestId(), call.address()));
        byte[] subject = sealed.subjectIndex();
        return subject == null ? event : event.withSubject(HexFormat.of().formatHex(subject));
    }
}
