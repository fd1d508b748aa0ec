package dev.vigil.audit.query;

import java.nio.charset.StandardCharsets;
import tools.jackson.databind.json.JsonMapper;

/// What a request gets.
sealed interface Answer {
    /// The one writer of JSON; safe for all threads.
    JsonMapper JSON = JsonMapper.shared();

    /// What was asked for.
    ///
    /// @param type of the content
    /// @param body not copied: made for this answer
    record Content(String type, byte[] body) implements Answer {}

    /// Why not.
    record Refusal(Problem problem) implements Answer {}

    static Answer json(Object value) {
        return new Content("application/json", JSON.writeValueAsBytes(value));
    }

    static Answer text(String text) {
        return new Content("text/plain; charset=utf-8", text.getBytes(StandardCharsets.UTF_8));
    }

    static Answer bytes(byte[] bytes) {
        return new Content("application/octet-stream", bytes);
    }

    static Answer refused(Code code, String detail) {
        return new Refusal(Problem.of(code, detail));
    }

    static Answer notFound() {
        return new Refusal(Problem.notFound());
    }
}
