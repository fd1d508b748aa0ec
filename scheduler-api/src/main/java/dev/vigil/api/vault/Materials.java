package dev.vigil.api.vault;

import dev.vigil.api.vault.References.Resolved;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.payload.TaskKey;
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
    /// How many bytes of secrets and tokens fill an answer; the execution that goes over it is the last one.
    static final int RESOLVED_BYTES_MAX = 1 << 20;

    private final VaultStore store;
    private final Executions executions;
    private final Handlers handlers;
    private final Keys keys;

    Materials(VaultStore store, Executions executions, Handlers handlers, Keys keys) {
        this.store = store;
        this.executions = executions;
        this.handlers = handlers;
        this.keys = keys;
    }

    /// Where what is handed out comes from.
    record Keys(PayloadSealer payloads, References references) {}

    /// What a worker gets for one claim.
    sealed interface Material {
        /// The task key, 32 bytes, the data key it comes from, and what the task's payload names.
        record Granted(Held.Open held, byte[] taskKey, List<Resolved> resolved) implements Material {
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
        ERASED,
        /// A secret or token that the payload names is gone, or not for this handler any more.
        REFERENCE_UNRESOLVED,
        /// The answer is full; ask for this one again.
        LATER
    }

    /// Decides each claim, in the order given.
    List<Material> of(WorkerRow worker, UUID boot, List<Held.Claim> claims) {
        var materials = new ArrayList<Material>();
        int room = RESOLVED_BYTES_MAX;
        for (Held held : executions.held(new WorkerBoot(worker.id(), boot), claims)) {
            Material material = room > 0 || references(held).isEmpty()
                    ? decide(worker, held)
                    : new Material.Refused(held.execution(), held.fence(), Reason.LATER);
            room -= material instanceof Material.Granted granted ? size(granted.resolved()) : 0;
            materials.add(material);
        }
        record(worker, materials);
        return materials;
    }

    private static List<String> references(Held held) {
        return held instanceof Held.Open open ? open.references() : List.of();
    }

    private static int size(List<Resolved> resolved) {
        return resolved.stream()
                .mapToInt(one -> switch (one) {
                    case Resolved.Secret secret -> secret.value().bytes().length;
                    case Resolved.Token token -> token.value().length;
                    case Resolved.FieldKey key -> key.key().length;
                })
                .sum();
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
                switch (keys.payloads().taskKey(place(open), open.keyId())) {
                    case PayloadSealer.KeyOf.Known(var key) -> grant(open, key);
                    case PayloadSealer.KeyOf.Erased _ ->
                        new Material.Refused(open.execution(), open.fence(), Reason.ERASED);
                    case PayloadSealer.KeyOf.Unknown _ ->
                        new Material.Refused(open.execution(), open.fence(), Reason.NOT_ALLOWED);
                };
        };
    }

    private Material grant(Held.Open open, TaskKey key) {
        return switch (keys.references().resolve(place(open), open.references())) {
            case References.Resolution.All(List<Resolved> resolved) -> new Material.Granted(open, key.raw(), resolved);
            case References.Resolution.Missing(String reference) -> {
                store.events()
                        .appendAlone(store.events()
                                .event(type(reference), "resolve", Result.FAILURE)
                                .namespace(open.namespace())
                                .task(open.task())
                                .execution(open.execution())
                                .with("reference", reference));
                yield new Material.Refused(open.execution(), open.fence(), Reason.REFERENCE_UNRESOLVED);
            }
        };
    }

    private static Place place(Held.Open open) {
        return new Place(open.task(), open.namespace(), open.payloadVersion(), open.handler());
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
                .filter(refusal -> refusal.reason() != Reason.LATER)
                .map(refusal -> new Id(Kind.EXECUTION, refusal.execution()) + "=" + refusal.reason())
                .collect(Collectors.joining(" "));
        var events = new ArrayList<AuditEvent>();
        if (!granted.isEmpty()) {
            events.add(event(worker, Result.SUCCESS).with("executions", granted));
        }
        if (!refused.isEmpty()) {
            events.add(event(worker, Result.DENIED).with("executions", refused));
        }
        for (Material material : materials) {
            if (material instanceof Material.Granted(Held.Open held, byte[] _, List<Resolved> resolved)) {
                resolved.forEach(one -> events.add(resolved(worker, held, one)));
            }
        }
        // One statement, committed when it returns.
        store.events().append(events.toArray(AuditEvent[]::new));
    }

    private AuditEvent resolved(WorkerRow worker, Held.Open held, Resolved one) {
        AuditEvent event = store.events()
                .event(type(one.reference()), "resolve", Result.SUCCESS)
                .worker(worker.id())
                .namespace(held.namespace())
                .task(held.task())
                .execution(held.execution())
                .with("handler", held.handler())
                .with("fence", held.fence())
                .with("reference", one.reference());
        return one instanceof Resolved.Secret secret
                ? event.with("version", (long) secret.value().version())
                : event;
    }

    private static EventType type(String reference) {
        return reference.startsWith("secret:") ? EventType.SECRET_RESOLVED : EventType.TOKEN_RESOLVED;
    }

    private AuditEvent event(WorkerRow worker, Result result) {
        return store.events()
                .event(EventType.SECRET_RESOLVED, "task_keys", result)
                .worker(worker.id());
    }
}
