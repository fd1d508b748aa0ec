package dev.vigil.api.vault;

import dev.vigil.protocol.payload.EncryptedField;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.json.JsonMapper;

/// The one place that knows how a payload asks for something that only the worker gets. A reference is a whole JSON
/// text: `secret://name`, `token:kind:id` or `encrypted:AES256:…`. Anywhere else, the same characters are just text.
final class PayloadReferences {
    private static final String SECRET = "secret://";
    private static final String FIELD = "field:";
    private static final Pattern TOKEN = Pattern.compile("token:([a-z][a-z0-9_]{0,31}):([0-9a-f]{32})");
    private static final JsonMapper JSON = JsonMapper.shared();

    private PayloadReferences() {}

    /// What a payload, or the list of a task's references, names.
    sealed interface Reference {
        /// How the reference is stored beside its task and named in events: it says nothing of the value.
        String stored();
    }

    /// `secret://name`.
    record SecretNamed(String name) implements Reference {
        @Override
        public String stored() {
            return SECRET + name;
        }
    }

    /// `token:kind:id`, the id random and in hexadecimal.
    record TokenNamed(String kind, UUID id) implements Reference {
        @Override
        public String stored() {
            return "token:" + kind + ":" + id.toString().replace("-", "");
        }
    }

    /// `encrypted:AES256:…`, stored without its value as `field:id:handler:key`.
    record FieldSealed(UUID id, String handler, UUID keyId) implements Reference {
        @Override
        public String stored() {
            return FIELD + id + ":" + handler + ":" + keyId;
        }
    }

    /// Looks like a reference and is none.
    record Malformed(String hint) implements Reference {
        @Override
        public String stored() {
            throw new IllegalStateException("what is malformed is refused, not stored");
        }
    }

    /// A reference and where it stands.
    ///
    /// @param pointer JSON pointer within the payload
    record Found(String pointer, Reference reference) {}

    /// All references of a payload, in its order.
    ///
    /// @param payload JSON text that was read as strict JSON before
    static List<Found> in(byte[] payload) {
        var found = new ArrayList<Found>();
        if (!mayHoldAny(payload)) {
            return found;
        }
        try (JsonParser in = JSON.createParser(payload)) {
            for (JsonToken token = in.nextToken(); token != null; token = in.nextToken()) {
                if (token == JsonToken.VALUE_STRING) {
                    Optional<Reference> reference = read(in.getString());
                    if (reference.isPresent()) {
                        String pointer = in.streamReadContext().pathAsPointer().toString();
                        found.add(new Found(pointer, reference.get()));
                    }
                }
            }
        }
        return found;
    }

    /// Most payloads hold none and need no second reading. An escape may hide one.
    private static boolean mayHoldAny(byte[] payload) {
        var text = new String(payload, StandardCharsets.ISO_8859_1);
        return text.contains("\"secret:")
                || text.contains("\"token:")
                || text.contains("\"encrypted:")
                || text.contains("\\");
    }

    private static Optional<Reference> read(String text) {
        if (text.startsWith(SECRET)) {
            String name = text.substring(SECRET.length());
            return Optional.of(
                    Secrets.isName(name)
                            ? new SecretNamed(name)
                            : new Malformed("write secret:// and a name of letters, digits, dots, - and _"));
        }
        if (text.startsWith(EncryptedField.PREFIX)) {
            return Optional.of(EncryptedField.parse(text)
                    .<Reference>map(field -> new FieldSealed(field.id(), field.handler(), field.keyId()))
                    .orElseGet(() -> new Malformed("copy the whole value that POST /api/v1/fields:encrypt returned")));
        }
        return token(text).map(Reference.class::cast);
    }

    /// A token's text; any other text is not meant to be one.
    static Optional<TokenNamed> token(String text) {
        Matcher token = TOKEN.matcher(text);
        return token.matches() ? Optional.of(new TokenNamed(token.group(1), uuid(token.group(2)))) : Optional.empty();
    }

    private static UUID uuid(String hex) {
        return new UUID(Long.parseUnsignedLong(hex, 0, 16, 16), Long.parseUnsignedLong(hex, 16, 32, 16));
    }

    /// Reads what [Reference#stored] wrote.
    static Reference stored(String text) {
        if (text.startsWith(FIELD)) {
            String[] parts = text.split(":", 4);
            return new FieldSealed(UUID.fromString(parts[1]), parts[2], UUID.fromString(parts[3]));
        }
        return read(text).orElseThrow(() -> new VaultException("a task declares " + text + ", which is no reference"));
    }
}
