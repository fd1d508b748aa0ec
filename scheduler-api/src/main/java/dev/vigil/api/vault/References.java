package dev.vigil.api.vault;

import dev.vigil.api.vault.PayloadReferences.FieldSealed;
import dev.vigil.api.vault.PayloadReferences.Found;
import dev.vigil.api.vault.PayloadReferences.Malformed;
import dev.vigil.api.vault.PayloadReferences.Reference;
import dev.vigil.api.vault.PayloadReferences.SecretNamed;
import dev.vigil.api.vault.PayloadReferences.TokenNamed;
import dev.vigil.api.web.FieldError;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.protocol.payload.Purpose;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What payloads ask for: checked when a task is created, resolved for the worker that holds an execution of it.
final class References {
    /// Most references of one payload.
    static final int MAX = 64;

    private final Handlers handlers;
    private final SecretStore secrets;
    private final PiiTokens tokens;
    private final RowSealer sealer;

    References(Handlers handlers, SecretStore secrets, PiiTokens tokens, RowSealer sealer) {
        this.handlers = handlers;
        this.secrets = secrets;
        this.tokens = tokens;
        this.sealer = sealer;
    }

    /// The references of a payload, in the form that is stored beside the task.
    ///
    /// @throws ProblemException 422, pointing at each that is not there or not for this handler
    List<String> check(Place place, byte[] payload) {
        List<Found> found = PayloadReferences.in(payload);
        if (found.isEmpty()) {
            return List.of();
        }
        if (found.size() > MAX) {
            throw new ProblemException(Problem.invalid(List.of(new FieldError(
                    "/payload",
                    "too_many_references",
                    "has " + found.size() + " references to secrets, tokens and encrypted fields",
                    "use at most " + MAX))));
        }
        Set<String> names = secrets.known(
                place.namespace(),
                of(found, SecretNamed.class).map(SecretNamed::name).toList());
        Set<TokenNamed> known = tokens.known(
                        place.namespace(), of(found, TokenNamed.class).toList())
                .keySet();
        var errors = new ArrayList<FieldError>();
        for (Found each : found) {
            Refusal refusal = switch (each.reference()) {
                case Malformed(String hint) -> new Refusal("malformed_reference", "is no reference", hint);
                case SecretNamed secret -> refusal(place, secret, names);
                case TokenNamed token ->
                    known.contains(token)
                            ? null
                            : new Refusal(
                                    "unknown_token",
                                    "names a token that is not there",
                                    "make it with POST /api/v1/pii-tokens");
                case FieldSealed field -> refusal(place, field);
            };
            if (refusal != null) {
                errors.add(new FieldError("/payload" + each.pointer(), refusal.code, refusal.detail, refusal.hint));
            }
        }
        if (!errors.isEmpty()) {
            throw new ProblemException(Problem.invalid(errors));
        }
        return found.stream().map(each -> each.reference().stored()).distinct().toList();
    }

    private record Refusal(String code, String detail, String hint) {}

    private static <T extends Reference> Stream<T> of(List<Found> found, Class<T> type) {
        return found.stream().map(Found::reference).filter(type::isInstance).map(type::cast);
    }

    private @Nullable Refusal refusal(Place place, SecretNamed secret, Set<String> known) {
        if (!mayRead(place.handler(), secret)) {
            return new Refusal(
                    "secret_not_allowed",
                    "names a secret that " + place.handler() + " may not read",
                    "an admin proposes the handler anew with secrets_allowed, another one approves it");
        }
        return known.contains(secret.name())
                ? null
                : new Refusal(
                        "unknown_secret",
                        "names a secret that is not in this namespace",
                        "an admin stores it with PUT /api/v1/secrets/{name}");
    }

    private @Nullable Refusal refusal(Place place, FieldSealed field) {
        if (!field.handler().isEmpty() && !field.handler().equals(place.handler())) {
            return new Refusal(
                    "foreign_field", "was encrypted for another handler", "encrypt the value for " + place.handler());
        }
        return sealer.knows(place.namespace(), field.keyId())
                ? null
                : new Refusal(
                        "unknown_field_key",
                        "was encrypted in another namespace, or its subject was erased",
                        "encrypt the value anew with POST /api/v1/fields:encrypt");
    }

    private boolean mayRead(String handler, SecretNamed secret) {
        return handlers.find(handler)
                .filter(approved -> approved.allowsSecret(secret.name()))
                .isPresent();
    }

    /// What became of a task's references.
    sealed interface Resolution {
        /// All of them, in the order of the task.
        record All(List<Resolved> resolved) implements Resolution {}

        /// This one is not there any more, or not for this handler.
        record Missing(String reference) implements Resolution {}
    }

    /// A resolved reference, on its way to one worker.
    sealed interface Resolved {
        String reference();

        record Secret(String reference, String name, SecretStore.Value value) implements Resolved {}

        record Token(String reference, byte[] value) implements Resolved {
            @Override
            public String toString() {
                return "Token[" + reference + "]";
            }
        }

        /// The key of one encrypted field; the value itself is in the payload.
        record FieldKey(String reference, UUID field, byte[] key) implements Resolved {
            @Override
            public String toString() {
                return "FieldKey[" + field + "]";
            }
        }
    }

    /// Resolves what a task declared when it was created. Whoever calls this has checked that the worker holds it.
    Resolution resolve(Place place, List<String> declared) {
        var resolved = new ArrayList<Resolved>();
        for (String reference : declared) {
            Optional<? extends Resolved> one = switch (PayloadReferences.stored(reference)) {
                case SecretNamed secret when !mayRead(place.handler(), secret) -> Optional.empty();
                case SecretNamed secret ->
                    secrets.value(place.namespace(), secret.name())
                            .map(value -> new Resolved.Secret(reference, secret.name(), value));
                case TokenNamed token ->
                    tokens.value(place.namespace(), token).map(value -> new Resolved.Token(reference, value.value()));
                case FieldSealed field
                when !field.handler().isEmpty() && !field.handler().equals(place.handler()) -> Optional.empty();
                case FieldSealed field ->
                    sealer.key(
                                    new RowSealer.Row(Purpose.FIELD, place.namespace(), field.id(), 1, field.handler()),
                                    field.keyId())
                            .map(key -> new Resolved.FieldKey(reference, field.id(), key.raw()));
                case Malformed _ -> Optional.empty();
            };
            if (one.isEmpty()) {
                return new Resolution.Missing(reference);
            }
            resolved.add(one.get());
        }
        return new Resolution.All(resolved);
    }
}
