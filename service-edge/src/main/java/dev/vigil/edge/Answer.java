package dev.vigil.edge;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/// What a request gets.
///
/// @param status  HTTP status
/// @param type    media type of the body
/// @param headers headers beyond those that every answer carries
/// @param body    writes the body
public record Answer(int status, String type, Map<String, String> headers, Body body) {
    private static final JsonMapper JSON = JsonMapper.shared();

    public Answer {
        headers = Map.copyOf(headers);
    }

    /// Writes a body, once.
    @FunctionalInterface
    public interface Body {
        void writeTo(OutputStream out) throws IOException;
    }

    /// A line or page of text.
    public static Answer text(String text) {
        return bytes(200, "text/plain; charset=utf-8", text.getBytes(StandardCharsets.UTF_8));
    }

    /// A map or list as JSON.
    public static Answer json(int status, Object value) {
        return bytes(status, "application/json", JSON.writeValueAsBytes(value));
    }

    /// Known bytes.
    public static Answer bytes(int status, String type, byte[] content) {
        return new Answer(
                status, type, Map.of("Content-Length", Integer.toString(content.length)), out -> out.write(content));
    }

    /// The same with one more header.
    public Answer header(String name, String value) {
        var more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return new Answer(status, type, more, body);
    }
}
