package dev.vigil.audit.query;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// An error answer as RFC 9457 has it, before it is known which request it answers.
///
/// @param code    what clients branch on
/// @param detail  what, why, and what to do; never holds a value of the request
/// @param errors  the query parameters concerned, or empty
/// @param headers further headers, such as `Retry-After`
record Problem(Code code, String detail, List<FieldError> errors, Map<String, String> headers) {
    Problem {
        errors = List.copyOf(errors);
        headers = Map.copyOf(headers);
    }

    /// One query parameter that is wrong.
    ///
    /// @param pointer its name
    /// @param code    short and stable
    /// @param detail  what is expected
    record FieldError(String pointer, String code, String detail) {}

    static Problem of(Code code, String detail) {
        return new Problem(code, detail, List.of(), Map.of());
    }

    static Problem of(Code code, String detail, Map<String, String> headers) {
        return new Problem(code, detail, List.of(), headers);
    }

    static Problem invalid(FieldError error) {
        return new Problem(Code.VALIDATION_FAILED, error.pointer() + ": " + error.detail(), List.of(error), Map.of());
    }

    /// Something that passes by itself; the client may try again.
    static Problem passing(Code code, String detail) {
        return of(code, detail, Map.of("Retry-After", "2"));
    }

    static Problem notFound() {
        return of(Code.NOT_FOUND, "There is nothing here that you may see; check the id and the path.");
    }

    /// The JSON members in their order.
    Map<String, Object> members(String instance, String requestId) {
        var members = new LinkedHashMap<String, Object>();
        members.put("type", code.type());
        members.put("title", code.title());
        members.put("status", code.status());
        members.put("code", code.label());
        members.put("detail", detail);
        members.put("instance", instance);
        members.put("request_id", requestId);
        if (!errors.isEmpty()) {
            members.put("errors", errors);
        }
        return members;
    }
}
