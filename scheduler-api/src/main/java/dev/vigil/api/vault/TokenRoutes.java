package dev.vigil.api.vault;

import dev.vigil.api.vault.PayloadReferences.TokenNamed;
import dev.vigil.api.web.Answer;
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
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.payload.EncryptedField;
import dev.vigil.protocol.payload.Purpose;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Tokens that stand for personal values, and values that are encrypted by themselves. Both go into payloads and are
/// read in the worker.
final class TokenRoutes implements Routes {
    /// Longest value, in characters.
    static final int VALUE_LENGTH_MAX = 8_192;

    private static final String TAG = "Tokens";
    private static final Pattern KIND = Pattern.compile("[a-z][a-z0-9_]{0,31}");

    private final PiiTokens tokens;
    private final SubjectIndex subjects;
    private final RowSealer sealer;
    private final VaultEvents events;
    private final ChosenNamespace namespaces;

    /// What encrypting a field needs.
    record Sealing(SubjectIndex subjects, RowSealer sealer) {}

    TokenRoutes(PiiTokens tokens, Sealing sealing, VaultEvents events, ChosenNamespace namespaces) {
        this.tokens = tokens;
        this.subjects = sealing.subjects;
        this.sealer = sealing.sealer;
        this.events = events;
        this.namespaces = namespaces;
    }

    @Override
    public List<Route> all() {
        return List.of(
                Route.post("/api/v1/pii-tokens", "createPiiToken")
                        .about(TAG, "Keep a personal value and get a token that stands for it in payloads")
                        .roles(Role.SCHEDULER)
                        .scope(Scope.TASKS_WRITE)
                        .query(ChosenNamespace.PARAMETER)
                        .body("NewPiiToken")
                        .answers(201, "PiiToken")
                        .creates()
                        .dryRun()
                        .handler(this::create),
                Route.post("/api/v1/pii-tokens:resolve", "resolvePiiToken")
                        .about(TAG, "Read the value behind a token, which is audited")
                        .roles(Role.PRIVACY_OFFICER)
                        .scope(Scope.GDPR_MANAGE)
                        .query(ChosenNamespace.PARAMETER)
                        .body("PiiToken")
                        .answers(200, "PiiTokenValue")
                        .handler(this::resolve),
                Route.post("/api/v1/fields:encrypt", "encryptField")
                        .about(TAG, "Encrypt a value for a payload; only a worker opens it, nothing is stored")
                        .roles(Role.SCHEDULER)
                        .scope(Scope.TASKS_WRITE)
                        .query(ChosenNamespace.PARAMETER)
                        .body("FieldValue")
                        .answers(200, "EncryptedField")
                        .handler(this::encrypt));
    }

    private Answer create(Call call) throws IOException {
        Fields fields = call.json();
        String kind = fields.text("kind", 32);
        if (!KIND.matcher(kind).matches()) {
            fields.refuse("kind", "format", "is no kind of value", "use a lower-case word such as email or phone");
        }
        String value = fields.text("value", VALUE_LENGTH_MAX);
        String subject = fields.text("subject", SubjectIndex.SUBJECT_LENGTH_MAX);
        fields.finish();
        Caller caller = call.caller();
        String token = unlessErased(() -> tokens.create(new PiiTokens.Wish(
                namespaces.of(call), kind, subject, value.getBytes(StandardCharsets.UTF_8), caller.id())));
        return Answer.json(201, Map.of("token", token));
    }

    private Answer resolve(Call call) throws IOException {
        Fields fields = call.json();
        String text = fields.text("token", 100);
        fields.finish();
        int namespace = namespaces.of(call);
        Optional<TokenNamed> token = PayloadReferences.token(text);
        Optional<PiiTokens.Resolved> resolved = token.flatMap(named -> tokens.value(namespace, named));
        AuditEvent event = events.event(
                        EventType.TOKEN_RESOLVED, "resolve", resolved.isPresent() ? Result.SUCCESS : Result.DENIED)
                .user(call.caller().id())
                .namespace(namespace);
        // Committed when it returns; what was not a token may be anything and is not repeated.
        events.append(token.map(named -> event.with("token", named.stored())).orElse(event));
        return resolved.map(found -> Answer.json(
                        200,
                        Map.of(
                                "token", found.token(),
                                "kind", found.kind(),
                                "value", new String(found.value(), StandardCharsets.UTF_8))))
                .orElseThrow(() -> new ProblemException(Problem.notFound()));
    }

    private Answer encrypt(Call call) throws IOException {
        Fields fields = call.json();
        String value = fields.text("value", VALUE_LENGTH_MAX);
        String handler = fields.optionalText("handler", 200).orElse("");
        if (!handler.isEmpty() && !Names.isHandler(handler)) {
            fields.refuse(
                    "handler", "format", "is no name of a handler", "use one like backup.database, or leave it out");
        }
        String subject =
                fields.optionalText("subject", SubjectIndex.SUBJECT_LENGTH_MAX).orElse(null);
        fields.finish();
        int namespace = namespaces.of(call);
        var row = new RowSealer.Row(Purpose.FIELD, namespace, UUID.randomUUID(), 1, handler);
        byte[] index = index(namespace, subject);
        RowSealer.Sealed sealed = unlessErased(() -> sealer.seal(row, index, value.getBytes(StandardCharsets.UTF_8)));
        var field = new EncryptedField(row.id(), handler, sealed.record());
        return Answer.json(200, Map.of("encrypted", field.text()));
    }

    private byte @Nullable [] index(int namespace, @Nullable String subject) {
        return subject == null ? null : subjects.of(namespace, subject);
    }

    private static <T> T unlessErased(Supplier<T> work) {
        try {
            return work.get();
        } catch (SubjectUnderErasureException e) {
            throw new ProblemException(
                    Code.CONFLICT, "This subject's data is being erased; wait until the request is done.");
        }
    }
}
