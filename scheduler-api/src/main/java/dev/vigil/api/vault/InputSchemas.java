package dev.vigil.api.vault;

import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaException;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.SpecificationVersion;
import com.networknt.schema.path.NodePath;
import dev.vigil.api.web.FieldError;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The JSON Schemas of handlers' inputs (draft 2020-12, or the one that `$schema` names). A schema stands by itself:
/// what refers to anything outside is refused, and nothing is ever fetched.
///
/// What is wrong is said by place and rule, never with the value.
public final class InputSchemas {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final int FAULTS_MAX = 20;
    private static final int CACHED_MAX = 1000;
    private static final int RULE_LENGTH_MAX = 120;
    private static final String META_SCHEMA = "https://json-schema.org/draft/2020-12/schema";
    /// Members that name another schema; as the name of a property they are an object, not a text.
    private static final List<String> REFERENCES = List.of("$ref", "$dynamicRef", "$recursiveRef");

    private final SchemaRegistry registry = SchemaRegistry.withDefaultDialect(
            SpecificationVersion.DRAFT_2020_12,
            builder -> builder.schemaCacheEnabled(false)
                    .schemaLoader(loader -> loader.allow(location -> isOfTheStandard(location.toString())))
                    .schemaRegistryConfig(SchemaRegistryConfig.builder()
                            .regularExpressionFactory(BoundedPattern::of)
                            .build()));
    private final Map<String, Schema> compiled = new ConcurrentHashMap<>();

    InputSchemas() {}

    /// Whether a text can be a handler's schema.
    ///
    /// @return what is wrong with it; empty when nothing is
    Optional<String> refusal(String text) {
        JsonNode schema;
        try {
            schema = JSON.readTree(text);
        } catch (JacksonException e) {
            return Optional.of("is no JSON");
        }
        if (!schema.isObject() && !schema.isBoolean()) {
            return Optional.of("is no JSON Schema: that is an object, true or false");
        }
        Optional<String> outside = outside(schema);
        if (outside.isPresent()) {
            return outside;
        }
        try {
            List<Error> faults =
                    registry.getSchema(SchemaLocation.of(META_SCHEMA)).validate(schema);
            if (!faults.isEmpty()) {
                return Optional.of("breaks the rules of JSON Schema at "
                        + pointer("", faults.getFirst().getInstanceLocation()));
            }
            registry.getSchema(schema).initializeValidators();
            return Optional.empty();
        } catch (SchemaException | IllegalArgumentException e) {
            return Optional.of("cannot be used: a pattern or a reference in it is broken");
        }
    }

    /// What a payload breaks of a schema that was accepted.
    public List<FieldError> faults(String schema, byte[] payload) {
        Schema rules = compiled.get(schema);
        if (rules == null) {
            if (compiled.size() >= CACHED_MAX) {
                compiled.clear();
            }
            rules = registry.getSchema(schema, InputFormat.JSON);
            compiled.put(schema, rules);
        }
        try {
            return rules.validate(JSON.readTree(new String(payload, StandardCharsets.UTF_8))).stream()
                    .limit(FAULTS_MAX)
                    .map(InputSchemas::fault)
                    .toList();
        } catch (BoundedPattern.TooSlowException e) {
            return List.of(new FieldError(
                    "/payload", "pattern", "takes too long to match a pattern of the handler's schema", null));
        }
    }

    private static FieldError fault(Error error) {
        String keyword = String.valueOf(error.getKeyword());
        String at = pointer("/payload", error.getInstanceLocation());
        String property = error.getProperty();
        String hint = hint(keyword, error.getSchemaNode());
        return switch (keyword) {
            case "required" -> new FieldError(at + "/" + shown(property), "required", "is required", null);
            case "additionalProperties", "unevaluatedProperties" ->
                new FieldError(at + "/" + shown(property), "unknown_field", "is not known to the handler", null);
            case "type" -> new FieldError(at, "type", "is of another type than the handler takes", hint);
            default -> new FieldError(at, code(keyword), "breaks the rule '" + keyword + "' of the handler", hint);
        };
    }

    private static String code(String keyword) {
        return keyword.replaceAll("([A-Z])", "_$1").toLowerCase(java.util.Locale.ROOT);
    }

    /// The rule itself, which an admin wrote and another one approved.
    private static @Nullable String hint(String keyword, @Nullable JsonNode rule) {
        if (rule == null) {
            return null;
        }
        String text = rule.toString();
        return text.length() > RULE_LENGTH_MAX ? null : keyword + " is " + text;
    }

    private static String pointer(String prefix, NodePath path) {
        var pointer = new StringBuilder(prefix);
        for (int i = 0; i < path.getNameCount(); i++) {
            pointer.append('/').append(shown(String.valueOf(path.getElement(i))));
        }
        return pointer.toString();
    }

    /// A name came from the client, so it is shown only as far as it looks like a field.
    private static String shown(@Nullable String name) {
        return name != null && name.matches("[A-Za-z0-9_.-]{1,64}") ? name : "?";
    }

    private static Optional<String> outside(JsonNode schema) {
        Deque<JsonNode> open = new ArrayDeque<>(List.of(schema));
        while (!open.isEmpty()) {
            JsonNode node = open.pop();
            for (var member : node.properties()) {
                JsonNode value = member.getValue();
                String name = member.getKey();
                if (REFERENCES.contains(name)
                        && value.isString()
                        && !value.asString().startsWith("#")) {
                    return Optional.of("refers to something outside; write it out, under $defs");
                }
                if (name.equals("$schema") && value.isString() && !isOfTheStandard(value.asString())) {
                    return Optional.of("names a dialect that is not known");
                }
                open.push(value);
            }
            node.values().forEach(open::push);
        }
        return Optional.empty();
    }

    /// Its schemas come with the library.
    private static boolean isOfTheStandard(String location) {
        return location.startsWith("https://json-schema.org/draft/")
                || location.startsWith("http://json-schema.org/draft-")
                || location.startsWith("classpath:draft");
    }
}
