package dev.vigil.gdpr.request;

import dev.vigil.edge.Code;
import dev.vigil.edge.Problem;
import dev.vigil.edge.Problem.FieldError;
import dev.vigil.edge.RefusedException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A small JSON object, read strictly: no unknown member, none twice, no NUL.
final class Body {
    private static final JsonMapper JSON = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(
                            StreamReadConstraints.builder().maxNestingDepth(64).build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final JsonNode members;
    private final Set<String> known = new HashSet<>();
    private final List<FieldError> errors = new ArrayList<>();

    private Body(JsonNode members) {
        this.members = members;
    }

    /// Reads a body; an empty one is an empty object.
    ///
    /// @throws RefusedException 400
    static Body of(byte[] bytes) {
        if (bytes.length == 0) {
            return new Body(JSON.createObjectNode());
        }
        try {
            JsonNode node = JSON.readTree(bytes);
            if (node.isObject() && !node.toString().contains("\\u0000")) {
                return new Body(node);
            }
        } catch (JacksonException _) {
            // Answered below: where it broke is of no use to the sender, and may hold what he sent.
        }
        throw new RefusedException(
                Code.MALFORMED_REQUEST,
                "The body is not one JSON object; look for a missing quote, a member that is there twice, or U+0000.");
    }

    /// A text of 1 to `max` characters; required.
    String text(String name, int max) {
        return optionalText(name, max).orElseGet(() -> {
            if (!members.hasNonNull(name)) {
                refuse(name, "required", "is required");
            }
            return "";
        });
    }

    /// A text of 1 to `max` characters, if given.
    Optional<String> optionalText(String name, int max) {
        known.add(name);
        JsonNode value = members.path(name);
        if (value.isMissingNode() || value.isNull()) {
            return Optional.empty();
        }
        if (!value.isString()) {
            refuse(name, "type", "is not a text");
            return Optional.empty();
        }
        String text = value.asString();
        if (text.isBlank() || text.length() > max) {
            refuse(name, "length", "has " + text.length() + " characters; use 1 to " + max);
        }
        return Optional.of(text);
    }

    /// A whole number from `min` to `max`, if given.
    Optional<Integer> number(String name, int min, int max) {
        known.add(name);
        JsonNode value = members.path(name);
        if (value.isMissingNode() || value.isNull()) {
            return Optional.empty();
        }
        if (!value.isInt() || value.intValue() < min || value.intValue() > max) {
            refuse(name, "range", "is no whole number from " + min + " to " + max);
            return Optional.empty();
        }
        return Optional.of(value.intValue());
    }

    /// True when given as true.
    boolean flag(String name) {
        known.add(name);
        JsonNode value = members.path(name);
        if (!value.isMissingNode() && !value.isNull() && !value.isBoolean()) {
            refuse(name, "type", "is not true or false");
        }
        return value.isBoolean() && value.booleanValue();
    }

    /// Notes that a member is impossible.
    void refuse(String name, String code, String detail) {
        errors.add(new FieldError("/" + name, code, detail));
    }

    /// Ends the reading.
    ///
    /// @throws RefusedException 400 for unknown members, else 422 for impossible ones
    void finish() {
        List<FieldError> unknown = members.propertyNames().stream()
                .filter(name -> !known.contains(name))
                .map(name -> new FieldError(
                        "/" + (name.matches("[A-Za-z0-9_.-]{1,64}") ? name : "?"),
                        "unknown_field",
                        "is not known here"))
                .toList();
        if (!unknown.isEmpty()) {
            throw new RefusedException(new Problem(
                    Code.UNKNOWN_FIELD, "The body has members that this call does not know.", unknown, Map.of()));
        }
        if (!errors.isEmpty()) {
            String detail = errors.size() == 1
                    ? errors.getFirst().pointer() + ": " + errors.getFirst().detail()
                    : errors.size() + " fields are not possible; see errors";
            throw new RefusedException(new Problem(Code.VALIDATION_FAILED, detail, errors, Map.of()));
        }
    }
}
