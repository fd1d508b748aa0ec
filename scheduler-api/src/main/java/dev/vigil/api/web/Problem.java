package dev.vigil.api.web;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// An error answer as RFC 9457 has it, before it is known which request it answers.
///
/// @param code    what clients branch on
/// @param detail  what, why, and what to do; never holds a value of the request
/// @param errors  the fields concerned, or empty
/// @param headers further headers, such as `Retry-After`
public record Problem(Code code, String detail, List<FieldError> errors, Map<String, String> headers) {
    public Problem {
        errors = List.copyOf(errors);
        headers = Map.copyOf(headers);
    }

    /// A problem without fields and headers of its own.
    public static Problem of(Code code, String detail) {
        return new Problem(code, detail, List.of(), Map.of());
    }

    /// Fields that are readable but impossible.
    public static Problem invalid(List<FieldError> errors) {
        String detail = errors.size() == 1
                ? errors.getFirst().pointer() + ": " + errors.getFirst().detail()
                : errors.size() + " fields are not possible; see errors";
        return new Problem(Code.VALIDATION_FAILED, detail, errors, Map.of());
    }

    /// What a stranger and a wrong id get alike.
    public static Problem notFound() {
        return of(Code.NOT_FOUND, "There is nothing here that you may see; check the id and the path.");
    }

    /// What is not done because its event cannot be written.
    public static Problem auditUnavailable() {
        return of(Code.AUDIT_UNAVAILABLE, "The audit trail cannot be written, so nothing was changed; try again later.")
                .header("Retry-After", "5");
    }

    /// The same with one more header.
    public Problem header(String name, String value) {
        var more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return new Problem(code, detail, errors, more);
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
