package dev.vigil.edge;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// An error answer as RFC 9457 has it, before it is known which request it answers.
///
/// @param code    what clients branch on
/// @param detail  what, why, and what to do; never holds a value of the request
/// @param errors  the fields or parameters concerned, or empty
/// @param headers further headers, such as `Retry-After`
public record Problem(Code code, String detail, List<FieldError> errors, Map<String, String> headers) {
    public Problem {
        errors = List.copyOf(errors);
        headers = Map.copyOf(headers);
    }

    /// One field or parameter that is wrong.
    ///
    /// @param pointer JSON pointer, or the parameter's name
    /// @param code    short and stable
    /// @param detail  what is expected
    public record FieldError(String pointer, String code, String detail) {}

    /// A problem without fields and headers of its own.
    public static Problem of(Code code, String detail) {
        return new Problem(code, detail, List.of(), Map.of());
    }

    /// A problem with headers of its own.
    public static Problem of(Code code, String detail, Map<String, String> headers) {
        return new Problem(code, detail, List.of(), headers);
    }

    /// One field or parameter that is wrong.
    public static Problem invalid(FieldError error) {
        return new Problem(Code.VALIDATION_FAILED, error.pointer() + ": " + error.detail(), List.of(error), Map.of());
    }

    /// Something that passes by itself; the client may try again.
    public static Problem passing(Code code, String detail) {
        return of(code, detail, Map.of("Retry-After", "2"));
    }

    /// What a stranger and a wrong id get alike.
    public static Problem notFound() {
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
