package dev.vigil.api.task;

import dev.vigil.api.vault.Opened;
import dev.vigil.api.vault.PayloadSealer;
import dev.vigil.api.vault.Place;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.Json;
import dev.vigil.api.web.Outbox;
import dev.vigil.api.web.ProblemException;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.scheduler.execution.ExecutionView;
import dev.vigil.scheduler.execution.Executions;
import dev.vigil.scheduler.task.TaskView;
import dev.vigil.scheduler.task.Tasks;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.support.TransactionTemplate;

/// Opens what is sealed for those who may read it. Whoever calls this has asked the access policy.
final class SealedViews {
    private final Tasks tasks;
    private final Executions executions;
    private final PayloadSealer sealer;
    private final Records records;

    /// How the opening of a payload is put on record.
    record Records(Outbox outbox, TransactionTemplate transaction, InstantSource time) {}

    SealedViews(Tasks tasks, Executions executions, PayloadSealer sealer, Records records) {
        this.tasks = tasks;
        this.executions = executions;
        this.sealer = sealer;
        this.records = records;
    }

    /// The payload as JSON; its audit event is committed before it is opened.
    ///
    /// @return null when its key is gone
    @Nullable Object payload(TaskView task, Call call) {
        AuditEvent event = AuditEvent.of(EventType.PAYLOAD_VIEWED, "view", Result.SUCCESS, records.time.instant())
                .user(call.caller().id())
                .namespace(task.namespace())
                .task(task.id())
                .with("ip_address", call.address())
                .with("request_id", call.requestId());
        records.transaction.executeWithoutResult(_ -> records.outbox.append(List.of(event)));
        var place = new Place(
                task.id(), task.namespace(), task.payloadVersion(), task.draft().handler());
        Optional<byte[]> sealed = tasks.payload(task.ref());
        return sealed.flatMap(bytes -> plain(sealer.open(place, place.payload(task.keyId()), bytes)))
                .flatMap(Json::raw)
                .orElse(null);
    }

    /// Puts on record that somebody is about to read what an execution wrote.
    void logsViewed(ExecutionView execution, Call call) {
        AuditEvent event = AuditEvent.of(EventType.PAYLOAD_VIEWED, "view_logs", Result.SUCCESS, records.time.instant())
                .user(call.caller().id())
                .namespace(execution.namespace())
                .task(execution.taskId())
                .execution(execution.id())
                .with("ip_address", call.address())
                .with("request_id", call.requestId());
        records.transaction.executeWithoutResult(_ -> records.outbox.append(List.of(event)));
    }

    /// What the handler returned, as JSON; null when there is none, or its key is gone.
    @Nullable Object result(ExecutionView execution) {
        Place place = place(execution);
        return executions
                .sealedResult(execution)
                .flatMap(bytes -> plain(sealer.open(place, place.result(execution.id(), execution.keyId()), bytes)))
                .flatMap(Json::raw)
                .orElse(null);
    }

    /// What the handler said about its failure; null when it said nothing, or its key is gone.
    @Nullable String errorDetail(ExecutionView execution) {
        Place place = place(execution);
        return executions
                .sealedResult(execution)
                .flatMap(
                        bytes -> plain(sealer.open(place, place.errorDetail(execution.id(), execution.keyId()), bytes)))
                .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                .orElse(null);
    }

    private static Place place(ExecutionView execution) {
        return new Place(execution.taskId(), execution.namespace(), execution.payloadVersion(), execution.handler());
    }

    private static Optional<byte[]> plain(Opened opened) {
        return switch (opened) {
            case Opened.Plain(byte[] bytes) -> Optional.of(bytes);
            case Opened.Erased() -> Optional.empty();
            case Opened.Broken() ->
                throw new ProblemException(
                        Code.INTERNAL_ERROR,
                        "The stored record does not open: it was changed outside of this system; the audit trail says more.");
        };
    }
}
