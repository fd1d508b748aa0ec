package dev.vigil.gdpr.request;

import dev.vigil.edge.Answer;
import dev.vigil.edge.Caller;
import dev.vigil.edge.Code;
import dev.vigil.edge.Problem;
import dev.vigil.edge.RefusedException;
import dev.vigil.gdpr.request.SubjectRequest.Act;
import dev.vigil.gdpr.request.SubjectRequest.Kinds;
import dev.vigil.gdpr.request.SubjectRequest.Outcome;
import dev.vigil.gdpr.request.SubjectRequest.State;
import dev.vigil.gdpr.subject.AuditTrail;
import dev.vigil.gdpr.subject.Vault;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.id.UuidV7;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;
import tools.jackson.databind.json.JsonMapper;

/// Requests of data subjects, for privacy officers and admins. An officer sees those of his namespace.
public final class RequestRoutes {
    private static final Duration DUE = Duration.ofDays(30);
    private static final int SUBJECT_LENGTH_MAX = 256;
    private static final int REASON_LENGTH_MAX = 1000;
    private static final int EXTENSION_DAYS_MAX = 60;
    private static final int LIST_DEFAULT = 50;
    private static final int LIST_MAX = 200;

    private final Requests requests;
    private final Exports exports;
    private final Outbox outbox;
    private final Idempotency idempotency;
    private final Vault vault;
    private final Signer signer;
    private final TransactionTemplate transactions;
    private final InstantSource time;
    private final RequestWorker worker;

    /// What the routes work with.
    ///
    /// @param exportLife how long an export can be fetched
    public record Means(
            JdbcClient db, TransactionTemplate transactions, InstantSource time, Signer signer, Duration exportLife) {}

    /// The routes, and the worker that carries out what they take in.
    public RequestRoutes(Means means, Vault vault, AuditTrail audit) {
        this.requests = new Requests(means.db());
        this.exports = new Exports(means.db());
        this.outbox = new Outbox(means.db());
        this.idempotency = new Idempotency(means.db());
        this.vault = vault;
        this.signer = means.signer();
        this.transactions = means.transactions();
        this.time = means.time();
        var store = new Fulfilment.Store(requests, exports, outbox, transactions, time, means.exportLife());
        this.worker = new RequestWorker(store, new Fulfilment(store, vault, audit, signer));
    }

    /// Works on what the routes take in; the caller starts and closes it.
    public RequestWorker worker() {
        return worker;
    }

    /// `POST /api/v1/gdpr/requests`.
    ///
    /// @param idempotencyKey the header; null when absent
    /// @param dryRun         the query parameter
    public Answer create(Caller officer, byte[] body, @Nullable String idempotencyKey, boolean dryRun) {
        Body fields = Body.of(body);
        Optional<Kinds> kind = kind(fields);
        String subject = fields.text("subject", SUBJECT_LENGTH_MAX);
        String reason = fields.text("reason", REASON_LENGTH_MAX);
        boolean dry = fields.flag("dry_run") || dryRun;
        fields.finish();
        if (dry) {
            return Answer.json(
                    200,
                    Map.of(
                            "dry_run", true,
                            "kind", kind.orElseThrow().label(),
                            "tasks", vault.find(subject, officer.token()).tasks()));
        }
        Idempotency.Key key = idempotencyKey == null ? null : Idempotency.Key.of(officer.id(), idempotencyKey, body);
        Optional<byte[]> before = key == null ? Optional.empty() : idempotency.find(key);
        if (before.isPresent()) {
            return Answer.bytes(202, "application/json", before.get()).header("Idempotent-Replayed", "true");
        }
        UUID id = UuidV7.next();
        var enquiry = new Vault.Enquiry(id, kind.orElseThrow().label(), subject);
        List<String> indexes = vault.register(enquiry, officer.token());
        SubjectRequest request = request(id, kind.orElseThrow(), reason, new Asked(officer, indexes));
        byte[] answer = JsonMapper.shared().writeValueAsBytes(request.view());
        transactions.executeWithoutResult(_ -> {
            if (key != null && !idempotency.keep(key, answer)) {
                throw new RefusedException(
                        Code.CONFLICT, "A call with this Idempotency-Key is running; ask again in a moment.");
            }
            requests.insert(request);
            outbox.append(event(request, "request", officer));
        });
        worker.wake();
        return Answer.bytes(202, "application/json", answer)
                .header("Location", "/api/v1/gdpr/requests/" + request.publicId());
    }

    private record Asked(Caller officer, List<String> indexes) {}

    private SubjectRequest request(UUID id, Kinds kind, String reason, Asked asked) {
        // As the database keeps it, so that the first answer is the same as every later one.
        Instant now = time.instant().truncatedTo(ChronoUnit.MICROS);
        return new SubjectRequest(
                id,
                kind,
                kind == Kinds.ACCESS ? State.RUNNING : State.AWAITING_APPROVAL,
                asked.officer().namespace(),
                asked.officer().everywhere(),
                reason,
                asked.indexes(),
                new Act(asked.officer().id(), now),
                now.plus(DUE),
                null,
                null,
                null,
                new Outcome(null, null, List.of(), true, false),
                null,
                null);
    }

    private static Optional<Kinds> kind(Body fields) {
        String text = fields.text("kind", 20);
        Optional<Kinds> kind = Arrays.stream(Kinds.values())
                .filter(each -> each.label().equals(text))
                .findFirst();
        if (kind.isEmpty() && !text.isEmpty()) {
            fields.refuse("kind", "not_in_list", "is none of the possible values; use access or erasure");
        }
        return kind;
    }

    /// `GET /api/v1/gdpr/requests`.
    public Answer list(Caller officer, Map<String, String> query) {
        int limit = limit(query.getOrDefault("limit", Integer.toString(LIST_DEFAULT)));
        String after = query.get("after");
        if (!query.getOrDefault("sort", "-created_at").equals("-created_at")) {
            throw new RefusedException(Code.BAD_SORT, "Requests are listed newest first; use sort=-created_at.");
        }
        var filter = new Requests.Filter(
                officer.everywhere() ? null : officer.namespace(),
                oneOf(
                        query,
                        "kind",
                        Arrays.stream(Kinds.values()).map(Kinds::label).toList()),
                oneOf(
                        query,
                        "state",
                        Arrays.stream(State.values()).map(State::label).toList()),
                after == null ? null : position(after));
        List<SubjectRequest> found = requests.list(filter, limit + 1);
        List<SubjectRequest> shown = found.subList(0, Math.min(limit, found.size()));
        Map<String, @Nullable Object> page = new LinkedHashMap<>();
        page.put("items", shown.stream().map(SubjectRequest::view).toList());
        page.put("next", found.size() > limit ? cursor(shown.getLast().id()) : null);
        return Answer.json(200, page);
    }

    private static @Nullable String oneOf(Map<String, String> query, String name, List<String> values) {
        String value = query.get(name);
        if (value != null && !values.contains(value)) {
            throw new RefusedException(new Problem(
                    Code.VALIDATION_FAILED,
                    name + ": use one of " + String.join(", ", values),
                    List.of(new Problem.FieldError(name, "not_in_list", "is none of the possible values")),
                    Map.of()));
        }
        return value;
    }

    private String cursor(UUID last) {
        byte[] id = ByteBuffer.allocate(16)
                .putLong(last.getMostSignificantBits())
                .putLong(last.getLeastSignificantBits())
                .array();
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(ByteBuffer.allocate(32)
                        .put(id)
                        .put(signer.mac(id), 0, 16)
                        .array());
    }

    private UUID position(String cursor) {
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(cursor);
            var in = ByteBuffer.wrap(bytes);
            var position = new UUID(in.getLong(), in.getLong());
            if (cursor(position).equals(cursor)) {
                return position;
            }
        } catch (IllegalArgumentException | BufferUnderflowException _) {
            // Answered below, like a cursor that was changed.
        }
        throw new RefusedException(Code.BAD_CURSOR, "The cursor is not one of this list; start without after.");
    }

    private static int limit(String text) {
        int limit = text.matches("[0-9]{1,4}") ? Integer.parseInt(text) : 0;
        if (limit < 1 || limit > LIST_MAX) {
            throw new RefusedException(new Problem(
                    Code.VALIDATION_FAILED,
                    "limit: use 1 to " + LIST_MAX,
                    List.of(new Problem.FieldError("limit", "range", "is outside the range")),
                    Map.of()));
        }
        return limit;
    }

    /// `GET /api/v1/gdpr/requests/{id}`.
    public Answer get(Caller officer, String id) {
        return Answer.json(200, visible(officer, id).view());
    }

    /// `POST /api/v1/gdpr/requests/{id}:approve`.
    public Answer approve(Caller officer, String id) {
        SubjectRequest request = visible(officer, id);
        if (request.kind() != Kinds.ERASURE || request.state() != State.AWAITING_APPROVAL) {
            throw new RefusedException(
                    Code.CONFLICT, "The request is " + request.state().label() + "; it does not wait for an approval.");
        }
        if (request.requested().by().equals(officer.id())) {
            throw new RefusedException(
                    Code.PERMISSION_DENIED,
                    "You asked for this erasure; another privacy officer or admin must approve it.");
        }
        // The vault checks the same again, with the approver's own token: this service cannot approve by itself.
        vault.approve(request.id(), officer.token());
        transactions.executeWithoutResult(_ -> {
            if (requests.approve(request.id(), new Act(officer.id(), time.instant()))) {
                outbox.append(event(request, "approve", officer));
            }
        });
        worker.wake();
        return get(officer, id);
    }

    /// `POST /api/v1/gdpr/requests/{id}:reject`.
    public Answer reject(Caller officer, String id, byte[] body) {
        Body fields = Body.of(body);
        Optional<String> reason = fields.optionalText("reason", REASON_LENGTH_MAX);
        fields.finish();
        SubjectRequest request = visible(officer, id);
        if (request.state() != State.AWAITING_APPROVAL) {
            throw new RefusedException(
                    Code.CONFLICT,
                    "The request is " + request.state().label() + "; only one that waits can be rejected.");
        }
        vault.close(request.id());
        transactions.executeWithoutResult(_ -> {
            if (requests.reject(request.id(), State.AWAITING_APPROVAL, time.instant(), reason.orElse("Rejected."))) {
                outbox.append(event(request, "reject", officer));
            }
        });
        return get(officer, id);
    }

    /// `POST /api/v1/gdpr/requests/{id}:extend`: two further months at most, once.
    public Answer extend(Caller officer, String id, byte[] body) {
        Body fields = Body.of(body);
        String reason = fields.text("reason", REASON_LENGTH_MAX);
        int days = fields.number("days", 1, EXTENSION_DAYS_MAX).orElse(EXTENSION_DAYS_MAX);
        fields.finish();
        SubjectRequest request = visible(officer, id);
        Instant due = request.dueAt().plus(Duration.ofDays(days));
        var extension = new SubjectRequest.Extension(new Act(officer.id(), time.instant()), reason);
        transactions.executeWithoutResult(_ -> {
            if (!requests.extend(request.id(), due, extension)) {
                throw new RefusedException(
                        Code.CONFLICT,
                        "The request is " + request.state().label()
                                + " or was extended before; one that is open can be extended once.");
            }
            outbox.append(event(request, "extend", officer).with("due_at", due.toString()));
        });
        return get(officer, id);
    }

    /// `GET /api/v1/gdpr/subjects`: whether anything is stored about somebody of exactly that name. Names are stored
    /// sealed, so there is no list of them to look through.
    public Answer subjects(Caller officer, String subject) {
        if (subject.isBlank() || subject.length() > SUBJECT_LENGTH_MAX) {
            throw new RefusedException(new Problem(
                    Code.VALIDATION_FAILED,
                    "query: give the subject as tasks name him, or usr_…",
                    List.of(new Problem.FieldError(
                            "query", "length", "use 1 to " + SUBJECT_LENGTH_MAX + " characters")),
                    Map.of()));
        }
        Vault.Known known = vault.find(subject, officer.token());
        List<String> about = requests.about(known.indexes(), LIST_DEFAULT).stream()
                .flatMap(id -> requests.find(id).stream())
                .filter(request -> sees(officer, request))
                .map(SubjectRequest::publicId)
                .toList();
        Map<String, @Nullable Object> page = new LinkedHashMap<>();
        page.put(
                "items",
                known.tasks() == 0 && !known.account() && about.isEmpty()
                        ? List.of()
                        : List.of(Map.of(
                                "subject", subject.strip(),
                                "tasks", known.tasks(),
                                "account", known.account(),
                                "requests", about)));
        page.put("next", null);
        return Answer.json(200, page);
    }

    /// `GET /api/v1/gdpr/requests/{id}/export`.
    public Answer export(Caller officer, String id) {
        SubjectRequest request = visible(officer, id);
        if (request.kind() != Kinds.ACCESS) {
            throw new RefusedException(Problem.notFound());
        }
        if (request.state() != State.DONE && request.state() != State.PARTIAL) {
            throw new RefusedException(
                    Code.CONFLICT,
                    "The request is " + request.state().label() + "; its export can be fetched when it is done.");
        }
        Instant expires = request.expiresAt();
        if (expires == null || !time.instant().isBefore(expires)) {
            exports.delete(request.id());
            throw new RefusedException(Code.GONE, "The export has expired; make a new request.");
        }
        Optional<byte[]> key = vault.exportKey(request.id());
        if (key.isEmpty() || exports.pieces(request.id()) == 0) {
            exports.delete(request.id());
            throw new RefusedException(Code.GONE, "The subject was erased since, and the export with him.");
        }
        // Recorded before the first byte leaves.
        outbox.append(event(request, "download", officer));
        String name = "attachment; filename=\"" + request.publicId() + ".zip\"";
        return new Answer(
                200,
                "application/zip",
                Map.of("Content-Disposition", name),
                out -> exports.write(request.id(), key.get(), out));
    }

    /// `GET /api/v1/gdpr/requests/{id}/certificate`.
    public Answer certificate(Caller officer, String id) {
        SubjectRequest request = visible(officer, id);
        Optional<Requests.Certified> certified = requests.certified(request.id());
        if (certified.isEmpty()) {
            throw request.kind() == Kinds.ERASURE
                    ? new RefusedException(
                            Code.CONFLICT,
                            "The request is " + request.state().label() + "; there is a certificate when it is done.")
                    : new RefusedException(Problem.notFound());
        }
        Base64.Encoder base64 = Base64.getEncoder();
        Map<String, Object> envelope = new LinkedHashMap<>();
        envelope.put("certificate", JsonMapper.shared().readTree(certified.get().certificate()));
        envelope.put("signed_bytes", base64.encodeToString(certified.get().certificate()));
        envelope.put("signature", base64.encodeToString(certified.get().signature()));
        envelope.put("public_key", signer.publicKeyPem());
        return Answer.json(200, envelope);
    }

    /// `GET /api/v1/gdpr/public-key`.
    public Answer publicKey() {
        return Answer.bytes(200, "application/x-pem-file", signer.publicKeyPem().getBytes(StandardCharsets.US_ASCII));
    }

    private SubjectRequest visible(Caller officer, String id) {
        return Id.parse(Kind.SUBJECT_REQUEST, id)
                .flatMap(parsed -> requests.find(parsed.uuid()))
                .filter(request -> sees(officer, request))
                .orElseThrow(() -> new RefusedException(Problem.notFound()));
    }

    private static boolean sees(Caller officer, SubjectRequest request) {
        return officer.everywhere() || (request.namespace() == officer.namespace() && !request.everywhere());
    }

    private AuditEvent event(SubjectRequest request, String action, Caller officer) {
        EventType type = request.kind() == Kinds.ACCESS ? EventType.USER_DATA_EXPORTED : EventType.USER_DATA_DELETED;
        AuditEvent event = AuditEvent.of(type, action, Result.SUCCESS, time.instant())
                .user(officer.id())
                .namespace(request.namespace())
                .with("request", request.publicId());
        return request.indexes().isEmpty()
                ? event
                : event.subject(request.indexes().getFirst());
    }
}
