package dev.vigil.gdpr.request;

import dev.vigil.gdpr.request.SubjectRequest.Kinds;
import dev.vigil.gdpr.request.SubjectRequest.Outcome;
import dev.vigil.gdpr.subject.AuditTrail;
import dev.vigil.gdpr.subject.Vault;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.support.TransactionTemplate;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Carries requests out, in steps that may be repeated: collect or erase, store export or certificate, and end once
/// the audit events of it are listed.
final class Fulfilment {
    /// Most bytes of JSON in an export; beyond it the export is cut, says so, and the request ends as partial.
    static final int EXPORT_BYTES_MAX = 64 << 20;

    private static final int EVENTS_MAX = 20_000;

    private final Store store;
    private final Vault vault;
    private final AuditTrail audit;
    private final Signer signer;

    Fulfilment(Store store, Vault vault, AuditTrail audit, Signer signer) {
        this.store = store;
        this.vault = vault;
        this.audit = audit;
        this.signer = signer;
    }

    /// Where requests and what they bring are kept.
    ///
    /// @param exportLife how long an export can be fetched
    record Store(
            Requests requests,
            Exports exports,
            Outbox outbox,
            TransactionTemplate transactions,
            InstantSource time,
            Duration exportLife) {}

    /// What became of one step.
    enum Step {
        /// The request has ended.
        ENDED,
        /// There is more to do, and it can be done at once.
        GO_ON,
        /// Others have to do something first.
        WAIT
    }

    /// Goes one step further with a running request.
    Step advance(SubjectRequest request) {
        if (!request.outcome().produced()) {
            return request.kind() == Kinds.ACCESS ? collect(request) : erase(request);
        }
        String token = vault.auditToken();
        for (UUID event : request.outcome().events()) {
            if (!audit.listed(token, new Id(Kind.AUDIT_EVENT, event).toString())) {
                return Step.WAIT;
            }
        }
        store.requests().finish(request, store.time().instant());
        return Step.ENDED;
    }

    private Step collect(SubjectRequest request) {
        var events = new LinkedHashSet<UUID>();
        Optional<Archive.Content> content = content(request, events);
        Optional<byte[]> key = content.isEmpty() ? Optional.empty() : vault.exportKey(request.id());
        if (content.isEmpty() || key.isEmpty()) {
            Instant now = store.time().instant();
            store.transactions().executeWithoutResult(_ -> {
                store.requests().reject(request.id(), request.state(), now, "The subject was erased meanwhile.");
                store.outbox().append(event(request, "end_access", Result.FAILURE));
            });
            return Step.ENDED;
        }
        byte[] zip = new Archive(content.get()).signedBy(signer);
        AuditEvent exported = event(request, "export", Result.SUCCESS)
                .with("tasks", (long) content.get().tasks().size())
                .with("executions", (long) content.get().executions().size())
                .with("tokens", (long) content.get().tokens().size())
                .with("accounts", (long) content.get().account().size());
        events.add(exported.id());
        var outcome = new Outcome(
                content.get().tasks().size(),
                content.get().executions().size(),
                List.copyOf(events),
                content.get().complete(),
                true);
        Instant expires = store.time().instant().plus(store.exportLife());
        store.transactions().executeWithoutResult(_ -> {
            store.exports().store(request.id(), key.get(), zip);
            store.requests().produced(request.id(), outcome, expires);
            store.outbox().append(exported);
        });
        return Step.GO_ON;
    }

    private Optional<Archive.Content> content(SubjectRequest request, Set<UUID> events) {
        var tasks = new ArrayList<JsonNode>();
        var executions = new ArrayList<JsonNode>();
        String subject = "";
        long bytes = 0;
        String after = null;
        do {
            Optional<Vault.Tasks> page = vault.tasks(request.id(), after);
            if (page.isEmpty()) {
                return Optional.empty();
            }
            subject = page.get().subject();
            keep(events, page.get().eventId());
            for (JsonNode task : page.get().part().items()) {
                tasks.add(task);
                bytes += task.toString().length();
                bytes += executions(request, task.path("id").asString(), executions, bytes);
            }
            after = page.get().part().next();
        } while (after != null && bytes < EXPORT_BYTES_MAX);
        Optional<Tokens> tokens = tokens(request, events, EXPORT_BYTES_MAX - bytes);
        Optional<Vault.Account> account = tokens.isEmpty() ? Optional.empty() : vault.account(request.id());
        if (tokens.isEmpty() || account.isEmpty()) {
            return Optional.empty();
        }
        keep(events, account.get().eventId());
        boolean complete = after == null
                && bytes < EXPORT_BYTES_MAX
                && tokens.get().complete()
                && account.get().found().stream()
                        .allMatch(found -> found.path("sign_ins_complete").asBoolean());
        return Optional.of(new Archive.Content(
                request.publicId(),
                subject,
                store.time().instant(),
                complete,
                tasks,
                executions,
                tokens.get().items(),
                account.get().found(),
                trail(request, tasks)));
    }

    private record Tokens(List<JsonNode> items, boolean complete) {}

    private Optional<Tokens> tokens(SubjectRequest request, Set<UUID> events, long bytesMax) {
        var items = new ArrayList<JsonNode>();
        long bytes = 0;
        String after = null;
        do {
            Optional<Vault.Tokens> page = vault.tokens(request.id(), after);
            if (page.isEmpty()) {
                return Optional.empty();
            }
            keep(events, page.get().eventId());
            for (JsonNode token : page.get().part().items()) {
                items.add(token);
                bytes += token.toString().length();
            }
            after = page.get().part().next();
        } while (after != null && bytes < bytesMax);
        return Optional.of(new Tokens(items, after == null));
    }

    private static void keep(Set<UUID> events, String eventId) {
        Id.parse(Kind.AUDIT_EVENT, eventId).ifPresent(id -> events.add(id.uuid()));
    }

    private long executions(SubjectRequest request, String task, List<JsonNode> into, long before) {
        long bytes = 0;
        String after = null;
        do {
            Vault.Part page = vault.executions(request.id(), task, after);
            for (JsonNode execution : page.items()) {
                into.add(execution);
                bytes += execution.toString().length();
            }
            after = page.next();
        } while (after != null && before + bytes < EXPORT_BYTES_MAX);
        return bytes;
    }

    /// The events that name the subject, and those of his tasks.
    private List<JsonNode> trail(SubjectRequest request, List<JsonNode> tasks) {
        String token = vault.auditToken();
        Map<String, JsonNode> found = new LinkedHashMap<>();
        for (String index : request.indexes()) {
            audit.events(token, "subject", index, EVENTS_MAX).forEach(event -> keep(found, event));
        }
        for (JsonNode task : tasks) {
            if (found.size() < EVENTS_MAX) {
                audit.events(token, "task_id", task.path("id").asString(), EVENTS_MAX - found.size())
                        .forEach(event -> keep(found, event));
            }
        }
        return found.values().stream()
                .sorted(Comparator.comparingLong(event -> event.path("seq").asLong()))
                .toList();
    }

    private static void keep(Map<String, JsonNode> found, JsonNode event) {
        found.put(event.path("id").asString(), event);
    }

    private Step erase(SubjectRequest request) {
        Vault.Erasure progress = vault.erase(request.id());
        if (!progress.done()) {
            return Step.WAIT;
        }
        var events = new LinkedHashSet<UUID>();
        keep(events, progress.eventId());
        AuditEvent certified = event(request, "certify_erasure", Result.SUCCESS)
                .with("tasks", (long) progress.tasks())
                .with("executions", (long) progress.executions())
                .with("keys", (long) progress.keys().size());
        events.add(certified.id());
        byte[] certificate = certificate(request, progress, certified);
        byte[] signature = signer.sign(certificate);
        var outcome = new Outcome(progress.tasks(), progress.executions(), List.copyOf(events), true, true);
        store.transactions().executeWithoutResult(_ -> {
            store.exports().deleteAbout(request.indexes());
            store.requests().certify(request.id(), certificate, signature);
            store.requests().produced(request.id(), outcome, null);
            store.outbox().append(certified);
        });
        return Step.GO_ON;
    }

    private byte[] certificate(SubjectRequest request, Vault.Erasure progress, AuditEvent certified) {
        SubjectRequest.Act approved = request.approved();
        if (approved == null) {
            throw new IllegalStateException("request " + request.id() + " was erased without an approval");
        }
        Map<String, @Nullable Object> certificate = new LinkedHashMap<>();
        certificate.put("format", "vigil-erasure-certificate/1");
        certificate.put("request", request.publicId());
        certificate.put("requested_by", user(request.requested().by()));
        certificate.put("requested_at", request.requested().at().toString());
        certificate.put("approved_by", user(approved.by()));
        certificate.put("approved_at", approved.at().toString());
        certificate.put("erased_at", store.time().instant().toString());
        certificate.put("subject_indexes", request.indexes());
        certificate.put("tasks_erased", progress.tasks());
        certificate.put("executions_anonymised", progress.executions());
        certificate.put("keys_destroyed", progress.keys());
        certificate.put(
                "verified",
                Map.of(
                        "keys_seen_destroyed", progress.keys().size(),
                        "payloads_tried", progress.tried(),
                        "payloads_opened", 0,
                        "tasks_left", progress.remaining()));
        certificate.put(
                "audit_events", List.of(progress.eventId(), new Id(Kind.AUDIT_EVENT, certified.id()).toString()));
        certificate.put(
                "residual",
                List.of(
                        "Workers that held a task key forget it within 60 seconds of their last dispatch.",
                        "Backups and write-ahead logs made before the erasure hold the wrapped key until they are deleted;"
                                + " it opens only with the root key.",
                        "Audit events keep pseudonymous ids and the blind index."));
        return JsonMapper.shared().writeValueAsBytes(certificate);
    }

    private static String user(UUID id) {
        return new Id(Kind.USER, id).toString();
    }

    private AuditEvent event(SubjectRequest request, String action, Result result) {
        EventType type = request.kind() == Kinds.ACCESS ? EventType.USER_DATA_EXPORTED : EventType.USER_DATA_DELETED;
        SubjectRequest.Act actor = request.approved() == null ? request.requested() : request.approved();
        AuditEvent event = AuditEvent.of(type, action, result, store.time().instant())
                .user(actor.by())
                .namespace(request.namespace())
                .with("request", request.publicId());
        return request.indexes().isEmpty()
                ? event
                : event.subject(request.indexes().getFirst());
    }
}
