package dev.vigil.api.vault;

import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Authenticator;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Caller;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.Fields;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Role;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.api.web.Scope;
import dev.vigil.api.web.TokenMint;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.payload.TaskKey;
import dev.vigil.scheduler.task.SubjectTasks;
import dev.vigil.scheduler.task.SubjectTasks.Person;
import java.io.IOException;
import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/// What gdpr-service asks of the vault, on the worker port, with its certificate. It may have opened or erased only
/// what somebody with the right to ask has asked for, and for an erasure another one approved: both show their tokens.
final class SubjectRoutes implements Routes {
    private static final String SERVICE = "gdpr";
    private static final int TOKEN_LENGTH_MAX = 8192;
    private static final Duration AUDIT_TOKEN_LIFE = Duration.ofMinutes(2);

    private final PeerGate peers;
    private final SubjectRequests requests;
    private final Persons persons;
    private final Work work;

    SubjectRoutes(PeerGate peers, SubjectRequests requests, Persons persons, Work work) {
        this.peers = peers;
        this.requests = requests;
        this.persons = persons;
        this.work = work;
    }

    /// What carries the requests out.
    record Work(
            VaultStore store,
            PayloadSealer sealer,
            SubjectTasks subjectTasks,
            SubjectAccess access,
            SubjectErasure erasure,
            Authenticator people,
            TokenMint tokens) {}

    @Override
    public List<Route> all() {
        return List.of(
                internal("subjects:find", "findSubject", "What a request would be about", this::find),
                internal("subjects:register", "registerSubjectRequest", "A person asks", this::register),
                internal("subjects:approve", "recordSubjectApproval", "Another person approves", this::approve),
                internal("subjects:close", "closeSubjectRequest", "Nothing more is done for it", this::close),
                internal("subjects:open", "openSubjectTasks", "The subject's tasks, opened", this::open),
                internal("subjects:tokens", "openSubjectTokens", "The subject's PII tokens, opened", this::tokens),
                internal("subjects:account", "openSubjectAccount", "The subject's account", this::account),
                internal(
                        "subjects:executions",
                        "openSubjectExecutions",
                        "A task's executions, opened",
                        this::executions),
                internal("subjects:export-key", "getExportKey", "The key of the request's export", this::exportKey),
                internal("subjects:erase", "eraseSubject", "Erase as far as possible", this::erase),
                internal("tokens", "createServiceToken", "A token for audit-service", this::token));
    }

    private Route internal(String path, String operation, String summary, Route.Handler handler) {
        return Route.post("/internal/v1/" + path, operation)
                .about("Internal", summary)
                .certificate()
                .answers(200, "InternalAnswer")
                .handler(call -> {
                    peers.service(call, SERVICE);
                    return handler.handle(call);
                });
    }

    private Answer find(Call call) throws IOException {
        Fields fields = call.json();
        String subject = subject(fields);
        String token = fields.text("token", TOKEN_LENGTH_MAX);
        fields.finish();
        Caller caller = person(token, call);
        List<Person> concerned = persons.of(subject, caller.namespace(), caller.isAdmin());
        List<String> indexes = indexes(concerned);
        // Whether somebody is known here is itself something about him.
        work.store()
                .events()
                .append(work.store()
                        .events()
                        .event(EventType.USER_DATA_EXPORTED, "find_subject", Result.SUCCESS)
                        .user(caller.id())
                        .namespace(caller.namespace())
                        .subject(indexes.getFirst()));
        return Answer.json(
                200,
                Map.of(
                        "tasks",
                        concerned.stream()
                                .mapToLong(work.subjectTasks()::stored)
                                .sum(),
                        "account",
                        concerned.stream().anyMatch(persons::hasAccount),
                        "indexes",
                        indexes));
    }

    private Answer register(Call call) throws IOException {
        Fields fields = call.json();
        UUID id = request(fields);
        SubjectRequest.Kind kind = fields.oneOf("kind", SubjectRequest.Kind.class)
                .orElseGet(() -> fields.missing("kind", SubjectRequest.Kind.ACCESS));
        String subject = subject(fields);
        String token = fields.text("token", TOKEN_LENGTH_MAX);
        fields.finish();
        Caller caller = person(token, call);
        var request = seal(id, kind, subject, caller);
        Boolean fresh = work.store().transactions().execute(_ -> {
            boolean inserted = requests.insert(request);
            if (inserted) {
                work.store().events().append(event(request, "register_request", caller.id()));
            }
            return inserted;
        });
        if (!Boolean.TRUE.equals(fresh)) {
            throw new ProblemException(Code.ALREADY_EXISTS, "A request of that id is registered already.");
        }
        List<Person> concerned = persons.of(subject, caller.namespace(), caller.isAdmin());
        return Answer.json(200, Map.of("indexes", indexes(concerned)));
    }

    private SubjectRequest seal(UUID id, SubjectRequest.Kind kind, String subject, Caller caller) {
        var draft = new SubjectRequest(
                id, kind, caller.namespace(), caller.isAdmin(), id, new byte[0], caller.id(), null, false, null);
        try {
            var sealed = work.sealer().seal(draft.place(1), new byte[0], subject);
            return new SubjectRequest(
                    id,
                    kind,
                    draft.namespace(),
                    draft.everywhere(),
                    sealed.keyId(),
                    Objects.requireNonNull(sealed.subject()),
                    draft.requestedBy(),
                    null,
                    false,
                    null);
        } catch (SubjectUnderErasureException _) {
            throw new ProblemException(
                    Code.CONFLICT, "An erasure of that subject is running; ask again when it is done.");
        }
    }

    private Answer approve(Call call) throws IOException {
        Fields fields = call.json();
        UUID id = request(fields);
        String token = fields.text("token", TOKEN_LENGTH_MAX);
        fields.finish();
        Caller approver = person(token, call);
        work.store().transactions().executeWithoutResult(_ -> {
            SubjectRequest request = open(requests.hold(id), SubjectRequest.Kind.ERASURE);
            if (approver.id().equals(request.requestedBy())) {
                throw new ProblemException(
                        Code.PERMISSION_DENIED, "You asked for this erasure; somebody else must approve it.");
            }
            if (!approver.isAdmin() && approver.namespace() != request.namespace()) {
                throw new ProblemException(Problem.notFound());
            }
            if (request.approvedBy() == null) {
                requests.update(request.approved(approver.id()));
                work.store().events().append(event(request, "approve_request", approver.id()));
            }
        });
        return Answer.json(200, Map.of());
    }

    private Answer close(Call call) throws IOException {
        Fields fields = call.json();
        UUID id = request(fields);
        fields.finish();
        work.store()
                .transactions()
                .executeWithoutResult(_ -> requests.hold(id)
                        .filter(request -> !request.closed())
                        .ifPresent(request -> {
                            requests.update(request.ended(request.doneEvent()));
                            work.store().events().append(event(request, "close_request", request.requestedBy()));
                        }));
        return Answer.json(200, Map.of());
    }

    private Answer open(Call call) throws IOException {
        return page(call, "open_subject", work.access()::tasks);
    }

    private Answer tokens(Call call) throws IOException {
        return page(call, "open_tokens", work.access()::tokens);
    }

    private interface Pages {
        SubjectAccess.Part from(List<Person> concerned, SubjectAccess.Position after);
    }

    private Answer page(Call call, String action, Pages pages) throws IOException {
        Fields fields = call.json();
        UUID id = request(fields);
        Optional<String> after = fields.optionalText("after", 64);
        Optional<SubjectAccess.Position> position =
                after.map(SubjectAccess.Position::parse).orElse(Optional.of(SubjectAccess.Position.FIRST));
        if (position.isEmpty()) {
            fields.refuse("after", "format", "is not a position in this list", null);
        }
        fields.finish();
        return opened(id, action, (concerned, body) -> {
            SubjectAccess.Part part = pages.from(concerned, position.orElseThrow());
            body.put("indexes", indexes(concerned));
            body.put("items", part.items());
            body.put("next", part.next());
        });
    }

    private Answer account(Call call) throws IOException {
        Fields fields = call.json();
        UUID id = request(fields);
        fields.finish();
        return opened(
                id,
                "open_account",
                (concerned, body) -> work.access()
                        .account(concerned.stream().filter(persons::hasAccount).findFirst())
                        .ifPresent(account -> body.put("account", account)));
    }

    /// Opens something of the subject, unless he was erased since. It is recorded before anything is opened, and that
    /// is committed before anything is answered.
    private Answer opened(UUID id, String action, BiConsumer<List<Person>, Map<String, @Nullable Object>> fill) {
        SubjectRequest request = open(requests.find(id), SubjectRequest.Kind.ACCESS);
        Optional<String> subject = persons.name(request);
        if (subject.isEmpty()) {
            return Answer.json(200, Map.of("erased", true));
        }
        List<Person> concerned = persons.of(subject.get(), request.namespace(), request.everywhere());
        AuditEvent event = event(request, action, request.requestedBy())
                .subject(HexFormat.of().formatHex(concerned.getFirst().subjectIndex()));
        work.store().events().append(event);
        Map<String, @Nullable Object> body = new LinkedHashMap<>();
        body.put("subject", subject.get());
        body.put("event_id", new Id(Kind.AUDIT_EVENT, event.id()).toString());
        fill.accept(concerned, body);
        return Answer.json(200, body);
    }

    private Answer executions(Call call) throws IOException {
        Fields fields = call.json();
        UUID id = request(fields);
        Optional<Id> task = Id.parse(Kind.TASK, fields.text("task", 64));
        Optional<Id> after = fields.optionalText("after", 64).flatMap(text -> Id.parse(Kind.EXECUTION, text));
        if (task.isEmpty()) {
            fields.refuse("task", "format", "is no id of a task", null);
        }
        fields.finish();
        SubjectRequest request = open(requests.find(id), SubjectRequest.Kind.ACCESS);
        UUID taskId = task.orElseThrow().uuid();
        boolean his = persons.name(request).stream()
                .flatMap(name -> persons.of(name, request.namespace(), request.everywhere()).stream())
                .anyMatch(person -> work.subjectTasks().has(person, taskId));
        if (!his) {
            throw new ProblemException(Problem.notFound());
        }
        SubjectAccess.Part part =
                work.access().executions(taskId, after.map(Id::uuid).orElse(null));
        Map<String, @Nullable Object> body = new LinkedHashMap<>();
        body.put("items", part.items());
        body.put("next", part.next());
        return Answer.json(200, body);
    }

    private Answer exportKey(Call call) throws IOException {
        Fields fields = call.json();
        UUID id = request(fields);
        fields.finish();
        SubjectRequest request = open(requests.find(id), SubjectRequest.Kind.ACCESS);
        return switch (work.sealer().taskKey(request.place(2), request.keyId())) {
            case PayloadSealer.KeyOf.Known(TaskKey key) -> {
                work.store().events().append(event(request, "export_key", request.requestedBy()));
                yield Answer.json(200, Map.of("key", Base64.getEncoder().encodeToString(key.raw())));
            }
            case PayloadSealer.KeyOf.Erased _, PayloadSealer.KeyOf.Unknown _ ->
                Answer.json(200, Map.of("erased", true));
        };
    }

    private Answer erase(Call call) throws IOException {
        Fields fields = call.json();
        UUID id = request(fields);
        fields.finish();
        SubjectRequest request = requests.find(id)
                .filter(found -> found.kind() == SubjectRequest.Kind.ERASURE && found.approvedBy() != null)
                .filter(found -> !found.closed() || found.doneEvent() != null)
                .orElseThrow(() -> new ProblemException(Problem.notFound()));
        return Answer.json(200, work.erasure().advance(request));
    }

    private Answer token(Call call) throws IOException {
        call.json().finish();
        work.store()
                .events()
                .append(work.store()
                        .events()
                        .event(EventType.AUTHENTICATION, "service_token", Result.SUCCESS)
                        .with("service", SERVICE));
        String token = work.tokens().ofService(SERVICE, Role.AUDITOR, Scope.AUDIT_READ, AUDIT_TOKEN_LIFE);
        return Answer.json(200, Map.of("token", token));
    }

    /// A request that may still be worked on.
    private static SubjectRequest open(Optional<SubjectRequest> found, SubjectRequest.Kind kind) {
        return found.filter(request -> request.kind() == kind && !request.closed())
                .orElseThrow(() -> new ProblemException(Problem.notFound()));
    }

    /// Whoever stands behind a token, if he may ask.
    private Caller person(String token, Call call) {
        if (work.people().authenticate(token, call.address()) instanceof Authenticator.Outcome.Known(Caller caller)
                && (caller.role() == Role.ADMIN || caller.role() == Role.PRIVACY_OFFICER)
                && caller.scopes().contains(Scope.GDPR_MANAGE)) {
            return caller;
        }
        throw new ProblemException(
                Code.PERMISSION_DENIED, "The token is not one of a privacy officer or admin with gdpr:manage.");
    }

    private static UUID request(Fields fields) {
        Optional<Id> id = Id.parse(Kind.SUBJECT_REQUEST, fields.text("request", 64));
        if (id.isEmpty()) {
            fields.refuse("request", "format", "is no id of a request", null);
        }
        return id.map(Id::uuid).orElseGet(() -> new UUID(0, 0));
    }

    private static String subject(Fields fields) {
        return fields.text("subject", SubjectIndex.SUBJECT_LENGTH_MAX);
    }

    private static List<String> indexes(List<Person> concerned) {
        return concerned.stream()
                .map(person -> HexFormat.of().formatHex(person.subjectIndex()))
                .toList();
    }

    private AuditEvent event(SubjectRequest request, String action, UUID by) {
        EventType type = request.kind() == SubjectRequest.Kind.ACCESS
                ? EventType.USER_DATA_EXPORTED
                : EventType.USER_DATA_DELETED;
        return work.store()
                .events()
                .event(type, action, Result.SUCCESS)
                .user(by)
                .namespace(request.namespace())
                .with("request", new Id(Kind.SUBJECT_REQUEST, request.id()).toString());
    }
}
