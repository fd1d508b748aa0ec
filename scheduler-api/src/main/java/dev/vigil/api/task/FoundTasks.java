package dev.vigil.api.task;

import dev.vigil.api.access.AccessPolicy;
import dev.vigil.api.access.AccessPolicy.Action;
import dev.vigil.api.access.AccessPolicy.Verdict;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Caller;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.Kind;
import dev.vigil.scheduler.task.TaskDraft;
import dev.vigil.scheduler.task.TaskView;
import dev.vigil.scheduler.task.Tasks;
import java.time.InstantSource;
import java.util.Locale;

/// The task that a call names, if the caller may do there what he wants.
final class FoundTasks {
    private final Tasks tasks;
    private final InstantSource time;

    FoundTasks(Tasks tasks, InstantSource time) {
        this.tasks = tasks;
        this.time = time;
    }

    /// @throws ProblemException 404 when there is none that the caller may see, 403 when he may not do this to it
    TaskView find(Call call, Action action) {
        TaskView task = tasks.get(call.id("id", Kind.TASK)).orElseThrow(() -> new ProblemException(Problem.notFound()));
        Verdicts.require(verdict(call.caller(), Action.READ, task));
        Verdicts.require(verdict(call.caller(), action, task));
        return task;
    }

    static Verdict verdict(Caller caller, Action action, TaskView task) {
        var target = new AccessPolicy.Target(
                task.owner(), task.namespace(), task.draft().handler());
        return AccessPolicy.decide(caller, action, target);
    }

    /// A draft as the permissions of a caller look at it.
    static AccessPolicy.Wish wish(TaskDraft draft) {
        return new AccessPolicy.Wish(
                draft.schedule().type(), draft.priority().name().toLowerCase(Locale.ROOT), draft.handler());
    }

    /// What the audit trail says of a change that a call makes.
    AuditEvent event(Call call, EventType type, String action, TaskView task) {
        return AuditEvent.of(type, action, Result.SUCCESS, time.instant())
                .user(call.caller().id())
                .namespace(task.namespace())
                .task(task.id())
                .with("ip_address", call.address())
                .with("request_id", call.requestId());
    }
}
