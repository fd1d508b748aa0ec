package dev.vigil.api.vault;

import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.scheduler.execution.Executions;
import dev.vigil.scheduler.execution.Held;
import dev.vigil.scheduler.execution.WorkerBoot;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;

/// Hands a worker what the executions that it holds need, and nothing else. One query says what it holds; the event
/// of what it got is committed before the answer.
final class Materials {
    /// Most executions of one call.
    static final int EXECUTIONS_MAX = 512;

    private final VaultStore store;
    private final Executions executions;
    private final Handlers handlers;
    private final PayloadSealer sealer;

    Materials(VaultStore store, Executions executions, Handlers handlers, PayloadSealer sealer) {
        this.store = store;
        this.executions = executions;
        this.handlers = handlers;
        this.sealer = sealer;
    }

    /// What a worker gets for one claim.
    sealed interface Material {
        /// The task key, 32 bytes, and the data key it comes from.
        record Granted(Held.Open held, byte[] taskKey) implements Material {
            @Override
            public String toString() {
                return "Granted[" + held.execution() + "]";
            }
        }

        /// Why it gets nothing.
        record Refused(UUID execution, long fence, Reason reason) implements Material {}
    }

    /// Why a worker gets nothing.
    enum Reason {
        NOT_YOURS,
        STALE,
        CLOSED,
        /// Not for its group, or namespace, or the handler is not approved any more.
        NOT_ALLOWED,
        /// The subject behind it was erased.
        ERASED
    }

    /// Decides each claim, in the order given.
    List<Material> of(WorkerRow worker, UUID boot, List<Held.Claim> claims) {
        List<Material> materials = executions.held(new WorkerBoot(worker.id(), boot), claims).stream()
                .map(held -> decide(worker, held))
                .toList();
        record(worker, materials);
        return materials;
    }

    /// The one execution that a worker holds under a fence and may work on.
    Optional<Held.Open> held(WorkerRow worker, UUID boot, Held.Claim claim) {
        Optional<Held.Open> held = executions.held(new WorkerBoot(worker.id(), boot), List.of(claim)).stream()
                .filter(each -> each instanceof Held.Open open && allowed(worker, open))
                .map(Held.Open.class::cast)
                .findFirst();
        if (held.isEmpty()) {
            store.events()
                    .append(event(worker, Result.DENIED)
                            .execution(claim.execution())
                            .with("fence", claim.fence()));
        }
        return held;
    }

    private Material decide(WorkerRow worker, Held held) {
        return switch (held) {
            case Held.Refused(UUID execution, long fence, Held.Reason reason) ->
                new Material.Refused(
                        execution,
                        fence,
                        switch (reason) {
                            case NOT_YOURS -> Reason.NOT_YOURS;
                            case STALE -> Reason.STALE;
                            case CLOSED -> Reason.CLOSED;
                        });
            case Held.Open open
            when !allowed(worker, open) -> new Material.Refused(open.execution(), open.fence(), Reason.NOT_ALLOWED);
            case Held.Open open ->
                switch (sealer.taskKey(
                        new Place(open.task(), open.namespace(), open.payloadVersion(), open.handler()),
                        open.keyId())) {
                    case PayloadSealer.KeyOf.Known(var key) -> new Material.Granted(open, key.raw());
                    case PayloadSealer.KeyOf.Erased _ ->
                        new Material.Refused(open.execution(), open.fence(), Reason.ERASED);
                    case PayloadSealer.KeyOf.Unknown _ ->
                        new Material.Refused(open.execution(), open.fence(), Reason.NOT_ALLOWED);
                };
        };
    }

    private boolean allowed(WorkerRow worker, Held.Open open) {
        return (worker.namespaces() == null || worker.namespaces().contains(open.namespace()))
                && handlers.find(open.handler())
                        .filter(handler -> handler.allows(worker.group()))
                        .isPresent();
    }

    private void record(WorkerRow worker, List<Material> materials) {
        String granted = materials.stream()
                .filter(Material.Granted.class::isInstance)
                .map(material -> ((Material.Granted) material).held().execution())
                .map(execution -> new Id(Kind.EXECUTION, execution).toString())
                .collect(Collectors.joining(" "));
        String refused = materials.stream()
                .filter(Material.Refused.class::isInstance)
                .map(Material.Refused.class::cast)
                .map(refusal -> new Id(Kind.EXECUTION, refusal.execution()) + "=" + refusal.reason())
                .collect(Collectors.joining(" "));
        var events = new ArrayList<AuditEvent>();
        if (!granted.isEmpty()) {
            events.add(event(worker, Result.SUCCESS).with("executions", granted));
        }
        if (!refused.isEmpty()) {
            events.add(event(worker, Result.DENIED).with("executions", refused));
        }
        // One statement, committed when it returns.
        store.events().append(events.toArray(AuditEvent[]::new));
    }

    private AuditEvent event(WorkerRow worker, Result result) {
        return store.events()
                .event(EventType.SECRET_RESOLVED, "task_keys", result)
                .worker(worker.id());
    }
}
