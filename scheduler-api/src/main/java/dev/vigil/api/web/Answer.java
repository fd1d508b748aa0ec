package dev.vigil.api.web;

import java.io.IOException;
import java.io.OutputStream;
import java.util.LinkedHashMap;
import java.util.Map;

/// What a handler gives back.
///
/// @param status  the HTTP status
/// @param headers headers beyond those that every answer carries
/// @param body    what is written after them
public record Answer(int status, Map<String, String> headers, Body body) {
    public Answer {
        headers = Map.copyOf(headers);
    }

    /// A body, written once.
    public sealed interface Body {
        /// Nothing.
        record None() implements Body {}

        /// Bytes that are known in full.
        record Bytes(String type, byte[] content) implements Body {}

        /// Bytes that come as they come.
        record Stream(String type, Source source) implements Body {}
    }

    /// Writes a streamed body.
    @FunctionalInterface
    public interface Source {
        void writeTo(OutputStream out) throws IOException;
    }

    /// A record, map or list as JSON.
    public static Answer json(int status, Object value) {
        return bytes(status, "application/json", Json.bytes(value));
    }

    /// Known bytes.
    public static Answer bytes(int status, String type, byte[] content) {
        return new Answer(status, Map.of(), new Body.Bytes(type, content));
    }

    /// A body that is written while it is made.
    public static Answer stream(int status, String type, Source source) {
        return new Answer(status, Map.of(), new Body.Stream(type, source));
    }

    /// Only a status.
    public static Answer empty(int status) {
        return new Answer(status, Map.of(), new Body.None());
    }

    /// The same with one more header.
    public Answer header(String name, String value) {
        var more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return new Answer(status, more, body);
    }
}
