package dev.vigil.api.web;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A path with variables: `/api/v1/tasks/{id}:trigger`, or `/api/v1/audit/tile/{rest*}` for everything below.
final class PathTemplate {
    private final String text;
    private final List<Part> parts;
    private final boolean open;

    /// @param variable null for a literal
    /// @param literal  the whole segment, or what follows the variable, such as `:trigger`
    private record Part(@Nullable String variable, String literal) {}

    PathTemplate(String text) {
        this.text = text;
        var parsed = new ArrayList<Part>();
        boolean rest = false;
        for (String segment : segments(text)) {
            int end = segment.indexOf('}');
            if (end < 0) {
                parsed.add(new Part(null, segment));
            } else {
                String name = segment.substring(1, end);
                rest = name.endsWith("*");
                parsed.add(new Part(rest ? name.substring(0, name.length() - 1) : name, segment.substring(end + 1)));
            }
        }
        this.parts = List.copyOf(parsed);
        this.open = rest;
    }

    /// The path as it was written.
    String text() {
        return text;
    }

    /// The names of its variables, in order.
    List<String> variables() {
        var names = new ArrayList<String>();
        for (Part part : parts) {
            if (part.variable != null) {
                names.add(part.variable);
            }
        }
        return names;
    }

    /// The variables, decoded; null when the path is another one.
    @Nullable Map<String, String> match(List<String> segments) {
        if (open ? segments.size() < parts.size() : segments.size() != parts.size()) {
            return null;
        }
        Map<String, String> variables = Map.of();
        for (int i = 0; i < parts.size(); i++) {
            Part part = parts.get(i);
            boolean last = i == parts.size() - 1;
            String segment = open && last ? String.join("/", segments.subList(i, segments.size())) : segments.get(i);
            if (part.variable == null) {
                if (!segment.equals(part.literal)) {
                    return null;
                }
            } else {
                String value = valueOf(part, segment, last && !open);
                if (value == null) {
                    return null;
                }
                variables = variables.isEmpty() ? new HashMap<>() : variables;
                variables.put(part.variable, value);
            }
        }
        return variables;
    }

    private static @Nullable String valueOf(Part part, String segment, boolean verbAllowed) {
        if (!segment.endsWith(part.literal)) {
            return null;
        }
        String value = segment.substring(0, segment.length() - part.literal.length());
        // A colon introduces a verb; `/tasks/{id}` must not swallow `/tasks/tsk_1:trigger`.
        if (value.isEmpty() || (verbAllowed && value.indexOf(':') >= 0)) {
            return null;
        }
        return value.indexOf('%') < 0 ? value : URLDecoder.decode(value.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    static List<String> segments(String path) {
        var segments = new ArrayList<String>(6);
        int start = 1;
        while (start <= path.length()) {
            int end = path.indexOf('/', start);
            segments.add(path.substring(start, end < 0 ? path.length() : end));
            start = end < 0 ? path.length() + 1 : end + 1;
        }
        return segments;
    }
}
