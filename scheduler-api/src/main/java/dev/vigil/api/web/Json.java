package dev.vigil.api.web;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.cfg.DateTimeFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.util.RawValue;

/// How this service writes JSON: snake_case members, RFC 3339 times.
public final class Json {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .disable(DateTimeFeature.WRITE_DATES_AS_TIMESTAMPS)
            .build();

    private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {};

    private Json() {}

    /// A record, map or list as UTF-8 JSON.
    public static byte[] bytes(Object value) {
        return MAPPER.writeValueAsBytes(value);
    }

    /// The members of a JSON object that this service wrote.
    static Map<String, Object> object(byte[] text) {
        return MAPPER.readValue(text, OBJECT);
    }

    /// JSON text to be written as it is, inside another value.
    ///
    /// @return empty when it is no JSON: written as it is, it would break the answer around it
    public static Optional<Object> raw(byte[] text) {
        try (JsonParser in = MAPPER.createParser(text)) {
            if (in.nextToken() == null) {
                return Optional.empty();
            }
            in.skipChildren();
            return in.nextToken() == null
                    ? Optional.of(new RawValue(new String(text, StandardCharsets.UTF_8)))
                    : Optional.empty();
        } catch (JacksonException e) {
            return Optional.empty();
        }
    }
}
